variable "environment" {
  description = "dev, staging or production."
  type        = string
  validation {
    condition     = contains(["dev", "staging", "production"], var.environment)
    error_message = "The environment must be dev, staging or production."
  }
}

variable "cidr" {
  description = "The address block of the network, a /16 to /20."
  type        = string
}

variable "redundant" {
  description = "Whether the service survives the loss of a zone: a standby of each store, and a NAT gateway in each zone."
  type        = bool
  validation {
    condition     = var.redundant || var.environment != "production"
    error_message = "Production must survive the loss of a zone."
  }
}

variable "replica" {
  description = "Whether a read replica of Postgres serves reads."
  type        = bool
}

variable "database_class" {
  description = "The instance class of Postgres, such as db.m7g.large."
  type        = string
}

variable "database_connections" {
  description = "The number of connections to Postgres above which an alarm goes off: below what the class admits, a little less than one for each 9 MB of its memory."
  type        = number
}

variable "database_gigabytes" {
  description = "The disk of Postgres in GB; it grows automatically up to four times that."
  type        = number
}

variable "database_source_arn" {
  description = "In a second region, the ARN of the first region's database, which this one then replicates."
  type        = string
  default     = null
}

variable "redis_class" {
  description = "The node type of Redis, such as cache.t4g.small."
  type        = string
}

variable "backup_days" {
  description = "For how many days backups are kept and locked."
  type        = number
  validation {
    condition     = var.backup_days >= 30 || var.environment != "production"
    error_message = "Production must keep its backups for at least 30 days."
  }
}

variable "image" {
  description = "The first image, by its digest."
  type        = string
}

variable "proxy_image" {
  description = "The image of HAProxy, by its digest."
  type        = string
}

variable "cpu" {
  description = "The CPU of each task, in 1/1024 of a vCPU."
  type        = number
}

variable "memory" {
  description = "The memory of each task, in MiB."
  type        = number
}

variable "minimum" {
  description = "The smallest number of tasks."
  type        = number
  validation {
    condition     = var.minimum >= 2 || var.environment != "production"
    error_message = "Production must have at least two tasks."
  }
}

variable "maximum" {
  description = "The largest number of tasks."
  type        = number
}

variable "domain" {
  description = "The domain name that people use."
  type        = string
}

variable "zone_id" {
  description = "The Route 53 zone that the domain is in."
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
  description = "The email addresses that alarms are sent to."
  type        = list(string)
}

variable "repository" {
  description = "The repository on GitHub whose workflows deploy, as OWNER/NAME."
  type        = string
}

variable "identity_provider_arn" {
  description = "The ARN of the identity provider token.actions.githubusercontent.com, which exists once per account."
  type        = string
}

variable "database_password" {
  description = "Postgres' password; letters and digits only, since it becomes part of a URL."
  type        = string
  ephemeral   = true
}

variable "jwt_secret" {
  description = "The key that signs access tokens."
  type        = string
  ephemeral   = true
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
