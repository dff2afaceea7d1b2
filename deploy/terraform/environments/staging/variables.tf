variable "account_id" {
  description = "The account, so that no other is touched by mistake."
  type        = string
  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account has twelve digits."
  }
}

variable "region" {
  description = "The region, such as eu-central-1."
  type        = string
}

variable "image" {
  description = "The image to begin with, by its digest; the pipeline puts others in its place."
  type        = string
}

variable "proxy_image" {
  description = "The image of HAProxy, by its digest."
  type        = string
}

variable "domain" {
  description = "The name that people use."
  type        = string
}

variable "zone_id" {
  description = "The zone of Route 53 that the domain is in."
  type        = string
}

variable "mail_to" {
  description = "Who hears about alarms."
  type        = list(string)
}

variable "repository" {
  description = "The repository on GitHub whose workflows deploy, as OWNER/NAME."
  type        = string
}

variable "failover" {
  description = "PRIMARY, or SECONDARY in the region that takes over."
  type        = string
  default     = "PRIMARY"
}

variable "database_source_arn" {
  description = "In the region that takes over, the database of the first."
  type        = string
  default     = null
}

variable "secrets_version" {
  description = "Raised to write new secrets."
  type        = number
  default     = 1
}

variable "settings" {
  description = "Settings of the server that are no secrets, by their names in README.md."
  type        = map(string)
  default     = {}
}

variable "secret_settings" {
  description = "Settings of the server by their names in README.md, each with the ARN of the secret that holds it."
  type        = map(string)
  default     = {}
}
