# Postgres, Redis, and their credentials.

# --- Postgres --------------------------------------------------------------------------------------------------------------

resource "aws_security_group" "database" {
  name        = "${var.name}-database"
  description = "Postgres, for the tasks alone"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "database" {
  security_group_id            = aws_security_group.database.id
  description                  = "The server and its migrations"
  referenced_security_group_id = var.client_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_db_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${var.name}-"
  family      = "postgres16"
  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }
  parameter {
    name  = "log_min_duration_statement"
    value = "1000"
  }
  parameter {
    name  = "log_lock_waits"
    value = "1"
  }
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_iam_role" "monitoring" {
  name = "${var.name}-database-monitoring"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "monitoring.rds.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  role       = aws_iam_role.monitoring.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}

# The password goes to RDS and to the secret below, but not into the state.
resource "aws_db_instance" "this" {
  identifier                            = var.name
  engine                                = var.database_source_arn == null ? "postgres" : null
  engine_version                        = var.database_source_arn == null ? "16.9" : null
  instance_class                        = var.database_class
  db_name                               = var.database_source_arn == null ? "terroir" : null
  username                              = var.database_source_arn == null ? "terroir" : null
  password_wo                           = var.database_source_arn == null ? var.database_password : null
  password_wo_version                   = var.database_source_arn == null ? var.secrets_version : null
  replicate_source_db                   = var.database_source_arn
  allocated_storage                     = var.database_source_arn == null ? var.database_gigabytes : null
  max_allocated_storage                 = 4 * var.database_gigabytes
  storage_type                          = "gp3"
  storage_encrypted                     = true
  kms_key_id                            = var.kms_key_arn
  multi_az                              = var.multi_az
  db_subnet_group_name                  = aws_db_subnet_group.this.name
  vpc_security_group_ids                = [aws_security_group.database.id]
  parameter_group_name                  = aws_db_parameter_group.this.name
  publicly_accessible                   = false
  iam_database_authentication_enabled   = true
  ca_cert_identifier                    = "rds-ca-rsa2048-g1"
  backup_retention_period               = var.backup_days
  backup_window                         = "20:00-20:30" # hours away from the vault's backups (backups.tf)
  maintenance_window                    = "sun:03:00-sun:04:00"
  copy_tags_to_snapshot                 = true
  deletion_protection                   = true
  skip_final_snapshot                   = false
  final_snapshot_identifier             = "${var.name}-final"
  auto_minor_version_upgrade            = true
  enabled_cloudwatch_logs_exports       = ["postgresql", "upgrade"]
  performance_insights_enabled          = true
  performance_insights_kms_key_id       = var.kms_key_arn
  performance_insights_retention_period = 7
  monitoring_interval                   = 60
  monitoring_role_arn                   = aws_iam_role.monitoring.arn
  lifecycle {
    ignore_changes  = [engine_version] # AWS upgrades minor versions from here on; do not undo that
    prevent_destroy = true
  }
}

resource "aws_db_instance" "replica" {
  count                               = var.replica ? 1 : 0
  identifier                          = "${var.name}-replica"
  replicate_source_db                 = aws_db_instance.this.identifier
  instance_class                      = var.database_class
  storage_type                        = "gp3"
  storage_encrypted                   = true
  kms_key_id                          = var.kms_key_arn
  vpc_security_group_ids              = [aws_security_group.database.id]
  parameter_group_name                = aws_db_parameter_group.this.name
  publicly_accessible                 = false
  iam_database_authentication_enabled = true
  ca_cert_identifier                  = "rds-ca-rsa2048-g1"
  multi_az                            = true
  copy_tags_to_snapshot               = true
  deletion_protection                 = true
  skip_final_snapshot                 = true # it has nothing that the primary lacks
  auto_minor_version_upgrade          = true
  enabled_cloudwatch_logs_exports     = ["postgresql", "upgrade"]
  performance_insights_enabled        = true
  performance_insights_kms_key_id     = var.kms_key_arn
  monitoring_interval                 = 60
  monitoring_role_arn                 = aws_iam_role.monitoring.arn
}

# --- Redis -----------------------------------------------------------------------------------------------------------------

resource "aws_security_group" "redis" {
  name        = "${var.name}-redis"
  description = "Redis, for the tasks alone"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "redis" {
  security_group_id            = aws_security_group.redis.id
  description                  = "The proxies beside the server"
  referenced_security_group_id = var.client_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
}

resource "aws_elasticache_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_elasticache_parameter_group" "this" {
  name   = var.name
  family = "redis7"
  parameter {
    name  = "maxmemory-policy"
    value = "noeviction" # servers notice a refused write, but not an evicted key
  }
}

# The provider has no write-only argument for the token, so anyone who can read the state can use it to read Redis. Each
# plan reads another value: in effect is the one that was written to the secret, with which Redis is also made later.
data "aws_secretsmanager_random_password" "redis" {
  password_length     = 64
  exclude_punctuation = true
}

resource "aws_elasticache_replication_group" "this" {
  replication_group_id       = var.name
  description                = "Sessions, caches, limits and events of ${var.name}"
  engine                     = "redis"
  engine_version             = "7.1"
  node_type                  = var.redis_class
  num_cache_clusters         = var.multi_az ? 2 : 1
  automatic_failover_enabled = var.multi_az
  multi_az_enabled           = var.multi_az
  parameter_group_name       = aws_elasticache_parameter_group.this.name
  subnet_group_name          = aws_elasticache_subnet_group.this.name
  security_group_ids         = [aws_security_group.redis.id]
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  auth_token                 = regex(":([^:@]+)@", aws_secretsmanager_secret_version.redis.secret_string)[0]
  at_rest_encryption_enabled = true
  kms_key_id                 = var.kms_key_arn
  snapshot_retention_limit   = var.backup_days
  snapshot_window            = "02:00-03:00"
  maintenance_window         = "sun:03:00-sun:04:00"
  auto_minor_version_upgrade = true
  lifecycle {
    ignore_changes = [auth_token] # set once
  }
}

# --- secrets ---------------------------------------------------------------------------------------------------------------

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV2_AWS_57:rotated by raising secrets_version (docs/aws.md)
  for_each                = toset(concat(["database_url", "redis_url", "jwt_secret"], var.replica ? ["database_replica_url"] : []))
  name                    = "${var.name}/${each.key}"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = 7
}

# TLS without verification: libpq 15 reads authorities only from a file, and the image does not contain those of RDS.
resource "aws_secretsmanager_secret_version" "database" {
  secret_id                = aws_secretsmanager_secret.this["database_url"].id
  secret_string_wo         = "postgresql://terroir:${var.database_password}@${aws_db_instance.this.address}:5432/terroir?sslmode=require"
  secret_string_wo_version = var.secrets_version
}

# With the primary's user: a replica has the same roles.
resource "aws_secretsmanager_secret_version" "replica" {
  count                    = var.replica ? 1 : 0
  secret_id                = aws_secretsmanager_secret.this["database_replica_url"].id
  secret_string_wo         = "postgresql://terroir:${var.database_password}@${aws_db_instance.replica[0].address}:5432/terroir?sslmode=require"
  secret_string_wo_version = var.secrets_version
}

resource "aws_secretsmanager_secret_version" "jwt" {
  secret_id                = aws_secretsmanager_secret.this["jwt_secret"].id
  secret_string_wo         = var.jwt_secret
  secret_string_wo_version = var.secrets_version
}

# Points to the proxy beside the server, which speaks TLS with ElastiCache.
resource "aws_secretsmanager_secret_version" "redis" {
  secret_id     = aws_secretsmanager_secret.this["redis_url"].id
  secret_string = "redis://:${data.aws_secretsmanager_random_password.redis.random_password}@127.0.0.1:6379/0"
  lifecycle {
    ignore_changes = [secret_string]
  }
}
