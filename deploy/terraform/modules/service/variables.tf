variable "name" {
  description = "What every name begins with."
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
  description = "The image to begin with; the pipeline puts others in its place."
  type        = string
  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "The image must be named by its digest: NAME@sha256:DIGEST."
  }
}

variable "proxy_image" {
  description = "The image of HAProxy, which brings bash and the system's authorities, such as haproxy's own for Debian."
  type        = string
  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.proxy_image))
    error_message = "The image must be named by its digest: NAME@sha256:DIGEST."
  }
}

variable "cpu" {
  description = "Of each task, in 1/1024 of a processor."
  type        = number
  validation {
    condition     = contains([256, 512, 1024, 2048, 4096], var.cpu)
    error_message = "Fargate has 256, 512, 1024, 2048 and 4096."
  }
}

variable "memory" {
  description = "Of each task, in MiB."
  type        = number
  validation {
    condition     = var.memory >= 512 && var.memory <= 8192
    error_message = "A task has 512 to 8192 MiB."
  }
}

variable "minimum" {
  description = "The fewest tasks."
  type        = number
  validation {
    condition     = var.minimum >= 1
    error_message = "At least one task serves."
  }
}

variable "maximum" {
  description = "The most tasks."
  type        = number
  validation {
    condition     = var.maximum <= 10 && var.maximum >= var.minimum
    error_message = "There are at most ten tasks, and at least the fewest."
  }
}

variable "requests_per_task" {
  description = "How many requests a minute a task is given before another one comes."
  type        = number
  default     = 60000
}

variable "subnet_ids" {
  description = "Where tasks run."
  type        = list(string)
}

variable "security_group_id" {
  description = "The tasks' group."
  type        = string
}

variable "balancer_security_group_id" {
  description = "The load balancer's group."
  type        = string
}

variable "trusted_network" {
  description = "The network that the load balancer and the stores are in: who comes from it is believed about whom it speaks for."
  type        = string
}

variable "target_group_arn" {
  description = "Where the load balancer looks for tasks."
  type        = string
}

variable "request_count_label" {
  description = "The load balancer and its target group, as the count of requests for each target names them."
  type        = string
}

variable "secret_arns" {
  description = "The secrets of the stores and of tokens by the names of their settings in lower case, such as database_url."
  type        = map(string)
}

variable "redis_host" {
  description = "Where Redis is, by TLS."
  type        = string
}

variable "kms_key_arn" {
  description = "The key that everything is encrypted by."
  type        = string
}

# Which settings are the operator's; a test compares both lists with docs/operations.md.
locals {
  fitted = [ # set here, to fit the network, the image and the deploy
    "ENVIRONMENT", "HOST", "PORT", "METRICS_PORT", "TRUSTED_PROXIES", "LOG_FORMAT", "MIGRATE_ON_START", "SHUTDOWN_DRAIN_SECONDS",
    "REDIS_PREFIX", "SERVICE_VERSION", "REVISION", "DATABASE_URL", "DATABASE_REPLICA_URL", "REDIS_URL", "JWT_SECRET",
  ]
  secret = ["JWT_SECRET_PREVIOUS", "METRICS_TOKEN", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OTEL_EXPORTER_OTLP_HEADERS", "SMTP_URL"]
}

variable "settings" {
  description = "Other settings of the server that are no secrets, by their names in README.md."
  type        = map(string)
  default     = {}
  validation {
    condition     = length(setintersection(keys(var.settings), local.fitted)) == 0
    error_message = "Fitted together here, and not to be set: ${join(", ", setintersection(keys(var.settings), local.fitted))}."
  }
  validation {
    condition     = length(setintersection(keys(var.settings), concat(local.secret, keys(var.secret_settings)))) == 0
    error_message = "Given by secret_settings alone: ${join(", ", setintersection(keys(var.settings), concat(local.secret, keys(var.secret_settings))))}."
  }
  validation {
    condition     = alltrue([for name in keys(var.settings) : can(regex("^[A-Z][A-Z0-9_]*$", name))])
    error_message = "Settings are named as in README.md, such as PUBLIC_URL."
  }
}

variable "secret_settings" {
  description = "Other settings of the server, by their names in README.md: the ARN of the secret in Secrets Manager that holds each."
  type        = map(string)
  default     = {}
  validation {
    condition     = length(setintersection(keys(var.secret_settings), local.fitted)) == 0
    error_message = "Fitted together here, and not to be set: ${join(", ", setintersection(keys(var.secret_settings), local.fitted))}."
  }
  validation { # a whole secret, since that is what the task's right to read names
    condition     = alltrue([for arn in values(var.secret_settings) : can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^:*]+$", arn))])
    error_message = "A secret is named by its ARN, as aws secretsmanager create-secret says it."
  }
  validation {
    condition     = alltrue([for name in keys(var.secret_settings) : can(regex("^[A-Z][A-Z0-9_]*$", name))])
    error_message = "Settings are named as in README.md, such as SMTP_URL."
  }
}
