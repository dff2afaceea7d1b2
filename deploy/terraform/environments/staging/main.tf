terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = { source = "hashicorp/aws", version = "5.100.0" }
  }
  # bucket and region: terraform init -backend-config=backend.hcl, see docs/aws.md
  backend "s3" {
    key          = "terroir/staging.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]
  default_tags {
    tags = { Project = "terroir", Environment = "staging", ManagedBy = "terraform" }
  }
}

# Drawn anew by each plan and kept in no state: in effect is the value written when secrets_version was last raised.
ephemeral "aws_secretsmanager_random_password" "database" {
  password_length     = 48
  exclude_punctuation = true
}

ephemeral "aws_secretsmanager_random_password" "jwt" {
  password_length     = 64
  exclude_punctuation = true
}

module "stack" {
  source                = "../../modules/stack"
  environment           = "staging"
  cidr                  = "10.21.0.0/16"
  redundant             = true
  replica               = false
  database_class        = "db.t4g.medium"
  database_gigabytes    = 50
  database_source_arn   = var.database_source_arn
  redis_class           = "cache.t4g.small"
  backup_days           = 14
  image                 = var.image
  proxy_image           = var.proxy_image
  cpu                   = 512
  memory                = 1024
  minimum               = 2
  maximum               = 4
  domain                = var.domain
  zone_id               = var.zone_id
  failover              = var.failover
  mail_to               = var.mail_to
  repository            = var.repository
  identity_provider_arn = "arn:aws:iam::${var.account_id}:oidc-provider/token.actions.githubusercontent.com"
  database_password     = ephemeral.aws_secretsmanager_random_password.database.random_password
  jwt_secret            = ephemeral.aws_secretsmanager_random_password.jwt.random_password
  secrets_version       = var.secrets_version
  settings              = var.settings
  secret_settings       = var.secret_settings
}

output "stack" {
  description = "What GitHub's environment and a second region ask for."
  value       = module.stack
}
