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
  description = "The subnets of the load balancer, one in each of three zones."
  type        = list(string)
  validation {
    condition     = length(var.subnet_ids) == 3
    error_message = "The load balancer needs a subnet in each of three zones."
  }
}

variable "service_security_group_id" {
  description = "The security group of the tasks."
  type        = string
}

variable "domain" {
  description = "The domain name that people use."
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)+$", var.domain))
    error_message = "The domain must be a name such as terroir.example.org."
  }
}

variable "zone_id" {
  description = "The Route 53 zone that the domain is in."
  type        = string
}

variable "failover" {
  description = "PRIMARY, or SECONDARY in the region that takes over."
  type        = string
  validation {
    condition     = contains(["PRIMARY", "SECONDARY"], var.failover)
    error_message = "A region must be PRIMARY or SECONDARY."
  }
}

variable "requests_per_address" {
  description = "How many requests one address may send in five minutes."
  type        = number
  validation {
    condition     = var.requests_per_address >= 10 && var.requests_per_address <= 100000
    error_message = "The limit must be 10 to 100000."
  }
}

variable "kms_key_arn" {
  description = "The ARN of the KMS key that encrypts logs."
  type        = string
}
