variable "name" {
  description = "The prefix of all names."
  type        = string
}

variable "environment" {
  description = "The environment of the workflow's job: dev, staging or production."
  type        = string
}

variable "region" {
  description = "The region, such as eu-central-1."
  type        = string
}

variable "account_id" {
  description = "The id of the AWS account."
  type        = string
}

variable "repository" {
  description = "The repository on GitHub, as OWNER/NAME."
  type        = string
  validation {
    condition     = can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.repository))
    error_message = "The repository must be OWNER/NAME, without a pattern."
  }
}

variable "identity_provider_arn" {
  description = "The ARN of the identity provider token.actions.githubusercontent.com, which exists once per account."
  type        = string
}

variable "passed_role_arns" {
  description = "The roles that a deploy passes to the tasks that it starts."
  type        = list(string)
}
