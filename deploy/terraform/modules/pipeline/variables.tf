variable "name" {
  description = "What every name begins with."
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
  description = "The account."
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
  description = "The account's identity provider token.actions.githubusercontent.com, which is made once."
  type        = string
}

variable "passed_role_arns" {
  description = "The roles that whoever starts a task hands to it."
  type        = list(string)
}
