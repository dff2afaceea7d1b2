# A whole environment.
data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

locals {
  name       = "terroir-${var.environment}"
  account_id = data.aws_caller_identity.current.account_id
  region     = data.aws_region.current.name
}

resource "aws_kms_key" "this" {
  description             = local.name
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { # the account's IAM policies decide who may use it
        Sid       = "Account"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::${local.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "Logs"
        Effect    = "Allow"
        Principal = { Service = "logs.${local.region}.amazonaws.com" }
        Action    = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
        Resource  = "*"
        Condition = { ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:${local.region}:${local.account_id}:log-group:*" } }
      },
      {
        Sid       = "Alarms"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
      },
    ]
  })
}

resource "aws_kms_alias" "this" {
  name          = "alias/${local.name}"
  target_key_id = aws_kms_key.this.key_id
}

# Defined here because the stores, the load balancer and the tasks all refer to it.
resource "aws_security_group" "service" {
  name        = "${local.name}-service"
  description = "The tasks"
  vpc_id      = module.network.vpc_id
}

module "network" {
  source       = "../network"
  name         = local.name
  region       = local.region
  cidr         = var.cidr
  nat_per_zone = var.redundant
  kms_key_arn  = aws_kms_key.this.arn
}

module "data" {
  source                   = "../data"
  name                     = local.name
  account_id               = local.account_id
  vpc_id                   = module.network.vpc_id
  subnet_ids               = module.network.data_subnet_ids
  client_security_group_id = aws_security_group.service.id
  kms_key_arn              = aws_kms_key.this.arn
  database_class           = var.database_class
  database_gigabytes       = var.database_gigabytes
  database_source_arn      = var.database_source_arn
  redis_class              = var.redis_class
  multi_az                 = var.redundant
  replica                  = var.replica
  backup_days              = var.backup_days
  database_password        = var.database_password
  jwt_secret               = var.jwt_secret
  secrets_version          = var.secrets_version
}

module "edge" {
  source                    = "../edge"
  name                      = local.name
  account_id                = local.account_id
  vpc_id                    = module.network.vpc_id
  subnet_ids                = module.network.public_subnet_ids
  service_security_group_id = aws_security_group.service.id
  domain                    = var.domain
  zone_id                   = var.zone_id
  failover                  = var.failover
  requests_per_address      = var.requests_per_address
  kms_key_arn               = aws_kms_key.this.arn
}

module "service" {
  source                     = "../service"
  name                       = local.name
  environment                = var.environment
  region                     = local.region
  image                      = var.image
  proxy_image                = var.proxy_image
  cpu                        = var.cpu
  memory                     = var.memory
  minimum                    = var.minimum
  maximum                    = var.maximum
  subnet_ids                 = module.network.private_subnet_ids
  security_group_id          = aws_security_group.service.id
  balancer_security_group_id = module.edge.balancer_security_group_id
  trusted_network            = var.cidr
  target_group_arn           = module.edge.target_group_arn
  balancer_idle_seconds      = module.edge.idle_seconds
  request_count_label        = module.edge.request_count_label
  secret_arns                = module.data.secret_arns
  settings                   = var.settings
  secret_settings            = var.secret_settings
  redis_host                 = module.data.redis_host
  kms_key_arn                = aws_kms_key.this.arn
}

module "observability" {
  source               = "../observability"
  name                 = local.name
  mail_to              = var.mail_to
  balancer_suffix      = module.edge.balancer_suffix
  target_group_suffix  = module.edge.target_group_suffix
  cluster_name         = module.service.cluster_name
  database_identifier  = module.data.database_identifier
  database_connections = var.database_connections
  redis_id             = module.data.redis_id
  redis_nodes          = module.data.redis_nodes
  kms_key_arn          = aws_kms_key.this.arn
}

module "pipeline" {
  source                = "../pipeline"
  name                  = local.name
  environment           = var.environment
  region                = local.region
  account_id            = local.account_id
  repository            = var.repository
  identity_provider_arn = var.identity_provider_arn
  passed_role_arns      = module.service.passed_role_arns
}
