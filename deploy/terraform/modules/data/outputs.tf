output "secret_arns" {
  description = "The secrets by the names of their settings in lower case: database_url, redis_url, jwt_secret, and with a replica database_replica_url."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.arn }
}

output "database_identifier" {
  description = "Postgres' name."
  value       = aws_db_instance.this.identifier
}

output "database_arn" {
  description = "Postgres, which a second region follows."
  value       = aws_db_instance.this.arn
}

output "redis_host" {
  description = "Where Redis' primary is, by TLS."
  value       = aws_elasticache_replication_group.this.primary_endpoint_address
}

output "redis_id" {
  description = "Redis' name."
  value       = aws_elasticache_replication_group.this.id
}

output "redis_nodes" {
  description = "How many nodes Redis has, which AWS names by Redis' name and their number: NAME-001."
  value       = aws_elasticache_replication_group.this.num_cache_clusters
}

output "backup_bucket" {
  description = "Where backups of hosts outside go."
  value       = aws_s3_bucket.backups.id
}
