variable "name" {
  description = "The prefix of all names."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,24}$", var.name))
    error_message = "The name must be 3 to 25 lower-case letters, digits and hyphens."
  }
}

variable "region" {
  description = "The region, such as eu-central-1."
  type        = string
}

variable "zones" {
  description = "The letters of three zones; listed here rather than looked up, so that a new zone at AWS moves no subnet."
  type        = list(string)
  default     = ["a", "b", "c"]
  validation {
    condition     = length(distinct(var.zones)) == 3
    error_message = "Exactly three zones are needed."
  }
}

variable "cidr" {
  description = "The address block of the network, a /16 to /20."
  type        = string
  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 20, false)
    error_message = "The network must be a block such as 10.20.0.0/16, a /16 to /20."
  }
}

variable "nat_per_zone" {
  description = "Whether each zone has its own NAT gateway, so that the loss of a zone does not cut off the others."
  type        = bool
}

variable "kms_key_arn" {
  description = "The ARN of the KMS key that encrypts logs."
  type        = string
}
