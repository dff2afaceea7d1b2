variable "account_id" {
  description = "The AWS account, so that no other is changed by mistake."
  type        = string
  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account id has twelve digits."
  }
}

variable "region" {
  description = "The region, such as eu-central-1."
  type        = string
}

variable "image" {
  description = "The first image, by its digest; the pipeline replaces it."
  type        = string
}

variable "proxy_image" {
  description = "The image of HAProxy, by its digest."
  type        = string
}

variable "domain" {
  description = "The domain name that people use."
  type        = string
}

variable "zone_id" {
  description = "The Route 53 zone that the domain is in."
  type        = string
}

variable "mail_to" {
  description = "The email addresses that alarms are sent to."
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
  description = "In the region that takes over, the ARN of the first region's database."
  type        = string
  default     = null
}

variable "secrets_version" {
  description = "Raise it to write new secrets."
  type        = number
  default     = 1
}

variable "settings" {
  description = "The server's settings that are not secret, by their names in README.md."
  type        = map(string)
  default     = {}
}

variable "secret_settings" {
  description = "The server's secret settings by their names in README.md, each with the ARN of its secret."
  type        = map(string)
  default     = {}
}
