variable "name" {
  description = "What every name begins with."
  type        = string
}

variable "account_id" {
  description = "The account, which makes the bucket's name the only one of its kind."
  type        = string
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "subnet_ids" {
  description = "Where the stores are, one in each of three zones."
  type        = list(string)
  validation {
    condition     = length(var.subnet_ids) == 3
    error_message = "The stores need a subnet in each of three zones."
  }
}

variable "client_security_group_id" {
  description = "The tasks' group, the only one that reaches the stores."
  type        = string
}

variable "kms_key_arn" {
  description = "The key that everything is encrypted by."
  type        = string
}

variable "database_class" {
  description = "The size of Postgres, such as db.m7g.large."
  type        = string
  validation {
    condition     = startswith(var.database_class, "db.")
    error_message = "A class of RDS begins with db."
  }
}

variable "database_gigabytes" {
  description = "The disk of Postgres, which grows by itself to four times that."
  type        = number
  validation {
    condition     = var.database_gigabytes >= 20 && var.database_gigabytes <= 16000
    error_message = "The disk has 20 to 16000 GB."
  }
}

variable "database_source_arn" {
  description = "In a second region, the database of the first, which this one then follows."
  type        = string
  default     = null
}

variable "redis_class" {
  description = "The size of Redis, such as cache.t4g.small."
  type        = string
  validation {
    condition     = startswith(var.redis_class, "cache.")
    error_message = "A class of ElastiCache begins with cache."
  }
}

variable "multi_az" {
  description = "Whether each store has a standby in another zone."
  type        = bool
}

variable "replica" {
  description = "Whether a replica of Postgres serves reads."
  type        = bool
}

variable "backup_days" {
  description = "How long backups are kept, and cannot be deleted."
  type        = number
  validation {
    condition     = var.backup_days >= 7 && var.backup_days <= 35
    error_message = "Backups are kept for 7 to 35 days."
  }
}

variable "database_password" {
  description = "Postgres' password; letters and digits, since it stands in a URL."
  type        = string
  ephemeral   = true
}

variable "jwt_secret" {
  description = "What access tokens are signed with, at least 32 characters."
  type        = string
  ephemeral   = true
}

variable "secrets_version" {
  description = "Raised to write new secrets."
  type        = number
}
