mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_region" {
    defaults = { name = "eu-central-1" }
  }
  mock_data "aws_secretsmanager_random_password" {
    defaults = { random_password = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789ab" }
  }
}

variables {
  environment           = "production"
  cidr                  = "10.20.0.0/16"
  redundant             = true
  replica               = true
  database_class        = "db.m7g.large"
  database_connections  = 640
  database_gigabytes    = 100
  redis_class           = "cache.m7g.large"
  backup_days           = 35
  image                 = "ghcr.io/example/terroir@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  proxy_image           = "haproxy@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
  cpu                   = 512
  memory                = 1024
  minimum               = 2
  maximum               = 10
  domain                = "terroir.example.org"
  zone_id               = "Z2"
  mail_to               = ["operators@example.org"]
  repository            = "example/terroir"
  identity_provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
  database_password     = "not-a-real-one"
  jwt_secret            = "not-a-real-one"
}

run "an_environment_is_of_one_piece" {
  command = plan
  assert {
    condition     = output.url == "https://terroir.example.org" && output.log_group_name == "/terroir-production/api"
    error_message = "The names are not those that the pipeline expects."
  }
  assert {
    condition     = aws_kms_key.this.enable_key_rotation
    error_message = "The key is not rotated."
  }
}

run "production_that_a_zone_can_stop_is_refused" {
  command = plan
  variables {
    redundant = false
  }
  expect_failures = [var.redundant]
}

run "production_with_one_task_is_refused" {
  command = plan
  variables {
    minimum = 1
  }
  expect_failures = [var.minimum]
}

run "production_with_backups_of_a_week_is_refused" {
  command = plan
  variables {
    backup_days = 7
  }
  expect_failures = [var.backup_days]
}

run "an_environment_of_another_name_is_refused" {
  command = plan
  variables {
    environment = "live"
  }
  expect_failures = [var.environment]
}
