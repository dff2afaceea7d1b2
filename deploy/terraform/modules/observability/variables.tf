variable "name" {
  description = "What every name begins with."
  type        = string
}

variable "mail_to" {
  description = "Who hears about alarms; each has to confirm once."
  type        = list(string)
  validation {
    condition     = length(var.mail_to) > 0 && alltrue([for address in var.mail_to : can(regex("^[^@ ]+@[^@ ]+$", address))])
    error_message = "Somebody must hear about alarms, at an address of mail."
  }
}

variable "balancer_suffix" {
  description = "The load balancer, as metrics name it."
  type        = string
}

variable "target_group_suffix" {
  description = "The target group, as metrics name it."
  type        = string
}

variable "cluster_name" {
  description = "The cluster."
  type        = string
}

variable "database_identifier" {
  description = "Postgres' name."
  type        = string
}

variable "database_connections" {
  description = "How many connections of Postgres are many."
  type        = number
  default     = 400
}

variable "redis_id" {
  description = "Redis' name."
  type        = string
}

variable "redis_nodes" {
  description = "How many nodes Redis has."
  type        = number
}

variable "kms_key_arn" {
  description = "The key that the topic is encrypted by."
  type        = string
}
