variable "name" {
  description = "The prefix of all names."
  type        = string
}

variable "mail_to" {
  description = "The email addresses that alarms are sent to; each has to confirm once."
  type        = list(string)
  validation {
    condition     = length(var.mail_to) > 0 && alltrue([for address in var.mail_to : can(regex("^[^@ ]+@[^@ ]+$", address))])
    error_message = "Alarms need at least one valid email address."
  }
}

variable "balancer_suffix" {
  description = "The load balancer's name in metrics."
  type        = string
}

variable "target_group_suffix" {
  description = "The target group's name in metrics."
  type        = string
}

variable "cluster_name" {
  description = "The name of the ECS cluster."
  type        = string
}

variable "database_identifier" {
  description = "The identifier of Postgres in RDS."
  type        = string
}

variable "database_connections" {
  description = "The number of connections to Postgres above which an alarm goes off."
  type        = number
}

variable "redis_id" {
  description = "The id of Redis in ElastiCache."
  type        = string
}

variable "redis_nodes" {
  description = "The number of Redis nodes."
  type        = number
}

variable "kms_key_arn" {
  description = "The ARN of the KMS key that encrypts the topic."
  type        = string
}
