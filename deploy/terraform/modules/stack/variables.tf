variable "environment" {
  description = "dev, staging or production."
  type        = string
  validation {
    condition     = contains(["dev", "staging", "production"], var.environment)
    error_message = "The environment must be dev, staging or production."
  }
}

variable "cidr" {
  description = "The network, a /16 to /20."
  type        = string
}

variable "redundant" {
  description = "Whether the loss of a zone is survived: a standby of each store, a way out of each zone."
  type        = bool
  validation {
    condition     = var.redundant || var.environment != "production"
    error_message = "Production survives the loss of a zone."
  }
}

variable "replica" {
  description = "Whether a replica of Postgres serves reads."
  type        = bool
}

variable "database_class" {
  description = "The size of Postgres, such as db.m7g.large."
  type        = string
}

variable "database_gigabytes" {
  description = "The disk of Postgres, which grows by itself to four times that."
  type        = number
}

variable "database_source_arn" {
  description = "In a second region, the database of the first, which this one then follows."
  type        = string
  default     = null
}

variable "redis_class" {
  description = "The size of Redis, such as cache.t4g.small."
  type        = string
}

variable "backup_days" {
  description = "How long backups are kept, and cannot be deleted."
  type        = number
  validation {
    condition     = var.backup_days >= 30 || var.environment != "production"
    error_message = "Production keeps its backups for 30 days."
  }
}

variable "image" {
  description = "The image to begin with, by its digest."
  type        = string
}

variable "proxy_image" {
  description = "The image of HAProxy, by its digest."
  type        = string
}

variable "cpu" {
  description = "Of each task, in 1/1024 of a processor."
  type        = number
}

variable "memory" {
  description = "Of each task, in MiB."
  type        = number
}

variable "minimum" {
  description = "The fewest tasks."
  type        = number
  validation {
    condition     = var.minimum >= 2 || var.environment != "production"
    error_message = "Production has at least two tasks."
  }
}

variable "maximum" {
  description = "The most tasks."
  type        = number
}

variable "domain" {
  description = "The name that people use."
  type        = string
}

variable "zone_id" {
  description = "The zone of Route 53 that the domain is in."
  type        = string
}

variable "failover" {
  description = "PRIMARY, or SECONDARY in the region that takes over."
  type        = string
  default     = "PRIMARY"
}

variable "requests_per_address" {
  description = "How many requests one address may send in five minutes."
  type        = number
  default     = 6000
}

variable "mail_to" {
  description = "Who hears about alarms."
  type        = list(string)
}

variable "repository" {
  description = "The repository on GitHub whose workflows deploy, as OWNER/NAME."
  type        = string
}

variable "identity_provider_arn" {
  description = "The account's identity provider token.actions.githubusercontent.com, which is made once."
  type        = string
}

variable "database_password" {
  description = "Postgres' password; letters and digits, since it stands in a URL."
  type        = string
  ephemeral   = true
}

variable "jwt_secret" {
  description = "What access tokens are signed with."
  type        = string
  ephemeral   = true
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
