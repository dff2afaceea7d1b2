variable "name" {
  description = "The prefix of all names."
  type        = string
}

variable "environment" {
  description = "dev, staging or production."
  type        = string
}

variable "region" {
  description = "The region, such as eu-central-1."
  type        = string
}

variable "image" {
  description = "The first image, by its digest; the pipeline replaces it."
  type        = string
  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "The image must be named by its digest: NAME@sha256:DIGEST."
  }
}

variable "proxy_image" {
  description = "The image of HAProxy, by its digest. It must contain bash and the system's authorities, as the official Debian image does."
  type        = string
  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.proxy_image))
    error_message = "The image must be named by its digest: NAME@sha256:DIGEST."
  }
}

variable "cpu" {
  description = "The CPU of each task, in 1/1024 of a vCPU."
  type        = number
  validation {
    condition     = contains([256, 512, 1024, 2048, 4096], var.cpu)
    error_message = "The CPU must be 256, 512, 1024, 2048 or 4096."
  }
}

variable "memory" {
  description = "The memory of each task, in MiB."
  type        = number
  validation {
    condition     = var.memory >= 512 && var.memory <= 8192
    error_message = "The memory must be 512 to 8192 MiB."
  }
}

variable "minimum" {
  description = "The smallest number of tasks."
  type        = number
  validation {
    condition     = var.minimum >= 1
    error_message = "There must be at least one task."
  }
}

variable "maximum" {
  description = "The largest number of tasks."
  type        = number
  validation {
    condition     = var.maximum <= 10 && var.maximum >= var.minimum
    error_message = "The largest number of tasks must be at most ten, and not below the smallest."
  }
}

variable "requests_per_task" {
  description = "The number of requests per minute and task that autoscaling aims for."
  type        = number
  default     = 60000
}

variable "subnet_ids" {
  description = "The subnets of the tasks."
  type        = list(string)
}

variable "security_group_id" {
  description = "The security group of the tasks."
  type        = string
}

variable "balancer_security_group_id" {
  description = "The security group of the load balancer."
  type        = string
}

variable "trusted_network" {
  description = "The address block of the load balancer and the stores; the server trusts what proxies in it say about their clients."
  type        = string
}

variable "target_group_arn" {
  description = "The target group of the load balancer."
  type        = string
}

variable "balancer_idle_seconds" {
  description = "How long the load balancer keeps a connection without a request, in seconds. The server keeps it for longer."
  type        = number
}

variable "request_count_label" {
  description = "The resource label of the metric of requests per target: the load balancer and its target group."
  type        = string
}

variable "secret_arns" {
  description = "The ARNs of the stores' and the tokens' secrets, by the lower-case names of their settings, such as database_url."
  type        = map(string)
}

variable "redis_host" {
  description = "The host of Redis, which requires TLS."
  type        = string
}

variable "kms_key_arn" {
  description = "The ARN of the KMS key that encrypts everything."
  type        = string
}

# The settings that `settings` refuses; a test compares both lists with docs/operations.md.
locals {
  fitted = [ # set by this module to match the network, the image and the deploy
    "ENVIRONMENT", "HOST", "PORT", "METRICS_PORT", "TRUSTED_PROXIES", "LOG_FORMAT", "MIGRATE_ON_START", "SHUTDOWN_DRAIN_SECONDS",
    "REDIS_PREFIX", "SERVICE_VERSION", "REVISION", "DATABASE_URL", "DATABASE_REPLICA_URL", "REDIS_URL", "JWT_SECRET",
  ]
  secret = ["JWT_SECRET_PREVIOUS", "METRICS_TOKEN", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OTEL_EXPORTER_OTLP_HEADERS", "SMTP_URL"]
}

variable "settings" {
  description = "The server's other settings that are not secret, by their names in README.md."
  type        = map(string)
  default     = {}
  validation {
    condition     = length(setintersection(keys(var.settings), local.fitted)) == 0
    error_message = "This module sets these itself: ${join(", ", setintersection(keys(var.settings), local.fitted))}."
  }
  validation {
    condition     = length(setintersection(keys(var.settings), concat(local.secret, keys(var.secret_settings)))) == 0
    error_message = "Set these in secret_settings instead: ${join(", ", setintersection(keys(var.settings), concat(local.secret, keys(var.secret_settings))))}."
  }
  validation {
    condition     = alltrue([for name in keys(var.settings) : can(regex("^[A-Z][A-Z0-9_]*$", name))])
    error_message = "Settings must be named as in README.md, such as PUBLIC_URL."
  }
}

variable "secret_settings" {
  description = "The server's other secret settings by their names in README.md, each with the ARN of its secret in Secrets Manager."
  type        = map(string)
  default     = {}
  validation {
    condition     = length(setintersection(keys(var.secret_settings), local.fitted)) == 0
    error_message = "This module sets these itself: ${join(", ", setintersection(keys(var.secret_settings), local.fitted))}."
  }
  validation { # a whole secret, since the task's right to read names only whole ones
    condition     = alltrue([for arn in values(var.secret_settings) : can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^:*]+$", arn))])
    error_message = "A secret must be given by its ARN, as aws secretsmanager create-secret prints it."
  }
  validation {
    condition     = alltrue([for name in keys(var.secret_settings) : can(regex("^[A-Z][A-Z0-9_]*$", name))])
    error_message = "Settings must be named as in README.md, such as SMTP_URL."
  }
}
