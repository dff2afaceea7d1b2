variable "name" {
  description = "The prefix of all names."
  type        = string
}

variable "account_id" {
  description = "The id of the AWS account, which makes the bucket's name unique."
  type        = string
}

variable "vpc_id" {
  description = "The id of the network."
  type        = string
}

variable "subnet_ids" {
  description = "The subnets of the stores, one in each of three zones."
  type        = list(string)
  validation {
    condition     = length(var.subnet_ids) == 3
    error_message = "The stores need a subnet in each of three zones."
  }
}

variable "client_security_group_id" {
  description = "The security group of the tasks, the only one that may reach the stores."
  type        = string
}

variable "kms_key_arn" {
  description = "The ARN of the KMS key that encrypts everything."
  type        = string
}

variable "database_class" {
  description = "The instance class of Postgres, such as db.m7g.large."
  type        = string
  validation {
    condition     = startswith(var.database_class, "db.")
    error_message = "An instance class of RDS begins with db."
  }
}

variable "database_gigabytes" {
  description = "The disk of Postgres in GB; it grows automatically up to four times that."
  type        = number
  validation {
    condition     = var.database_gigabytes >= 20 && var.database_gigabytes <= 16000
    error_message = "The disk must have 20 to 16000 GB."
  }
}

variable "database_source_arn" {
  description = "In a second region, the ARN of the first region's database, which this one then replicates."
  type        = string
  default     = null
}

variable "redis_class" {
  description = "The node type of Redis, such as cache.t4g.small."
  type        = string
  validation {
    condition     = startswith(var.redis_class, "cache.")
    error_message = "A node type of ElastiCache begins with cache."
  }
}

variable "multi_az" {
  description = "Whether each store has a standby in another zone."
  type        = bool
}

variable "replica" {
  description = "Whether a read replica of Postgres serves reads."
  type        = bool
}

variable "backup_days" {
  description = "For how many days backups are kept and locked."
  type        = number
  validation {
    condition     = var.backup_days >= 7 && var.backup_days <= 35
    error_message = "Backups must be kept for 7 to 35 days."
  }
}

variable "database_password" {
  description = "Postgres' password; letters and digits only, since it becomes part of a URL."
  type        = string
  ephemeral   = true
}

variable "jwt_secret" {
  description = "The key that signs access tokens, at least 32 characters."
  type        = string
  ephemeral   = true
}

variable "secrets_version" {
  description = "Raise it to write new secrets."
  type        = number
}
