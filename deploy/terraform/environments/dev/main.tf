terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = { source = "hashicorp/aws", version = "5.100.0" }
  }
  # bucket and region: terraform init -backend-config=backend.hcl, see docs/aws.md
  backend "s3" {
    key          = "terroir/dev.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]
  default_tags {
    tags = { Project = "terroir", Environment = "dev", ManagedBy = "terraform" }
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
  environment           = "dev"
  cidr                  = "10.20.0.0/16"
  redundant             = false
  replica               = false
  database_class        = "db.t4g.small"
  database_gigabytes    = 20
  database_source_arn   = var.database_source_arn
  redis_class           = "cache.t4g.micro"
  backup_days           = 7
  image                 = var.image
  proxy_image           = var.proxy_image
  cpu                   = 256
  memory                = 512
  minimum               = 1
  maximum               = 2
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
