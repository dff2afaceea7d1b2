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
  description = "Where the load balancer is, one in each of three zones."
  type        = list(string)
  validation {
    condition     = length(var.subnet_ids) == 3
    error_message = "The load balancer needs a subnet in each of three zones."
  }
}

variable "service_security_group_id" {
  description = "The tasks' group."
  type        = string
}

variable "domain" {
  description = "The name that people use."
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)+$", var.domain))
    error_message = "The domain must be a name such as terroir.example.org."
  }
}

variable "zone_id" {
  description = "The zone of Route 53 that the domain is in."
  type        = string
}

variable "failover" {
  description = "PRIMARY, or SECONDARY in the region that takes over."
  type        = string
  validation {
    condition     = contains(["PRIMARY", "SECONDARY"], var.failover)
    error_message = "A region is PRIMARY or SECONDARY."
  }
}

variable "requests_per_address" {
  description = "How many requests one address may send in five minutes."
  type        = number
  validation {
    condition     = var.requests_per_address >= 10 && var.requests_per_address <= 100000
    error_message = "The limit is 10 to 100000."
  }
}

variable "kms_key_arn" {
  description = "The key that logs are encrypted by."
  type        = string
}
