mock_provider "aws" {
  mock_data "aws_secretsmanager_random_password" {
    defaults = { random_password = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789ab" }
  }
}

variables {
  name                     = "terroir-test"
  account_id               = "123456789012"
  vpc_id                   = "vpc-1"
  subnet_ids               = ["subnet-1", "subnet-2", "subnet-3"]
  client_security_group_id = "sg-1"
  kms_key_arn              = "arn:aws:kms:eu-central-1:123456789012:key/test"
  database_class           = "db.m7g.large"
  database_gigabytes       = 100
  redis_class              = "cache.m7g.large"
  multi_az                 = true
  replica                  = true
  backup_days              = 35
  database_password        = "not-a-real-one"
  jwt_secret               = "not-a-real-one"
  secrets_version          = 1
}

run "postgres_is_hidden_encrypted_doubled_and_hard_to_lose" {
  command = plan
  assert {
    condition     = !aws_db_instance.this.publicly_accessible && !aws_db_instance.replica[0].publicly_accessible
    error_message = "Postgres is public."
  }
  assert {
    condition     = aws_db_instance.this.storage_encrypted && aws_db_instance.this.kms_key_id == var.kms_key_arn && aws_db_instance.this.performance_insights_kms_key_id == var.kms_key_arn
    error_message = "Postgres is not encrypted by our key."
  }
  assert {
    condition     = aws_db_instance.this.multi_az && startswith(aws_db_instance.this.engine_version, "16.")
    error_message = "Postgres is not version 16 with a standby in another zone."
  }
  assert {
    condition     = aws_db_instance.this.deletion_protection && !aws_db_instance.this.skip_final_snapshot && aws_db_instance.this.backup_retention_period == 35
    error_message = "Postgres lacks deletion protection, a final snapshot or 35 days of backups."
  }
  assert {
    condition     = one([for parameter in aws_db_parameter_group.this.parameter : parameter.value if parameter.name == "rds.force_ssl"]) == "1"
    error_message = "Postgres accepts connections without TLS."
  }
}

run "redis_asks_for_a_token_by_tls_and_fails_over" {
  command = plan
  assert {
    condition     = aws_elasticache_replication_group.this.transit_encryption_enabled && aws_elasticache_replication_group.this.transit_encryption_mode == "required" && aws_elasticache_replication_group.this.at_rest_encryption_enabled == "true"
    error_message = "Redis is not encrypted."
  }
  assert {
    condition     = length(aws_elasticache_replication_group.this.auth_token) == 64
    error_message = "Redis requires no token."
  }
  assert {
    condition     = aws_elasticache_replication_group.this.automatic_failover_enabled && aws_elasticache_replication_group.this.num_cache_clusters == 2
    error_message = "Redis does not fail over."
  }
  assert {
    condition     = one([for parameter in aws_elasticache_parameter_group.this.parameter : parameter.value if parameter.name == "maxmemory-policy"]) == "noeviction"
    error_message = "Redis evicts keys when it is full."
  }
}

run "the_stores_are_reached_by_the_tasks_alone" {
  command = plan
  assert {
    condition     = alltrue([for rule in [aws_vpc_security_group_ingress_rule.database, aws_vpc_security_group_ingress_rule.redis] : rule.referenced_security_group_id == "sg-1" && rule.cidr_ipv4 == null && rule.from_port == rule.to_port])
    error_message = "A store accepts connections from others than the tasks."
  }
}

run "backups_cannot_be_deleted_before_their_time" {
  command = plan
  assert {
    condition     = aws_s3_bucket.backups.object_lock_enabled && aws_s3_bucket_object_lock_configuration.backups.rule[0].default_retention[0].mode == "COMPLIANCE" && aws_s3_bucket_object_lock_configuration.backups.rule[0].default_retention[0].days == 35
    error_message = "The bucket's objects can be deleted."
  }
  assert {
    condition     = aws_backup_vault_lock_configuration.this.min_retention_days == 35 && alltrue([for rule in aws_backup_plan.this.rule : rule.lifecycle[0].delete_after >= 35])
    error_message = "The vault's backups can be deleted."
  }
  assert {
    condition     = aws_s3_bucket_public_access_block.backups.block_public_acls && aws_s3_bucket_public_access_block.backups.block_public_policy && aws_s3_bucket_public_access_block.backups.ignore_public_acls && aws_s3_bucket_public_access_block.backups.restrict_public_buckets
    error_message = "The bucket may become public."
  }
}

run "secrets_are_encrypted_by_our_key" {
  command = plan
  assert {
    condition     = length(aws_secretsmanager_secret.this) == 4 && alltrue([for secret in aws_secretsmanager_secret.this : secret.kms_key_id == var.kms_key_arn])
    error_message = "A secret is not encrypted by our key."
  }
  assert {
    condition     = alltrue([for version in [aws_secretsmanager_secret_version.database, aws_secretsmanager_secret_version.replica[0], aws_secretsmanager_secret_version.jwt] : version.secret_string == null])
    error_message = "A secret is in the state."
  }
}

run "the_vault_s_backups_keep_hours_away_from_rds_own" {
  command = plan
  assert {
    condition = alltrue([for hours in [for rule in aws_backup_plan.this.rule :
      (tonumber(regex("^cron\\(0 (\\d+) ", rule.schedule)[0]) - tonumber(substr(aws_db_instance.this.backup_window, 0, 2)) + 24) % 24
    ] : hours >= 5 && hours <= 12])
    error_message = "A backup begins too close to RDS' own, so that AWS Backup does not start it."
  }
}

run "the_server_is_told_of_a_replica_that_is_there" {
  command = plan
  assert {
    condition     = contains(keys(output.secret_arns), "database_replica_url")
    error_message = "Nobody reads from the replica."
  }
}

run "without_a_replica_the_server_is_told_of_none" {
  command = plan
  variables {
    replica = false
  }
  assert {
    condition     = !contains(keys(output.secret_arns), "database_replica_url")
    error_message = "The server looks for a replica that is not there."
  }
}

run "in_a_second_region_postgres_follows_the_first" {
  command = plan
  variables {
    database_source_arn = "arn:aws:rds:eu-central-1:123456789012:db:terroir-test"
  }
  assert {
    condition     = aws_db_instance.this.replicate_source_db == var.database_source_arn && aws_db_instance.this.storage_encrypted
    error_message = "Postgres does not replicate the first region's, or is not encrypted."
  }
}

run "fewer_than_three_zones_are_refused" {
  command = plan
  variables {
    subnet_ids = ["subnet-1", "subnet-2"]
  }
  expect_failures = [var.subnet_ids]
}

run "backups_of_a_day_are_refused" {
  command = plan
  variables {
    backup_days = 1
  }
  expect_failures = [var.backup_days]
}
