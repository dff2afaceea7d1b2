output "secret_arns" {
  description = "The secrets' ARNs by the lower-case names of their settings: database_url, redis_url, jwt_secret, and with a replica database_replica_url."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.arn }
}

output "database_identifier" {
  description = "The identifier of Postgres in RDS."
  value       = aws_db_instance.this.identifier
}

output "database_arn" {
  description = "The ARN of Postgres, which a second region replicates."
  value       = aws_db_instance.this.arn
}

output "redis_host" {
  description = "The host of Redis' primary, which requires TLS."
  value       = aws_elasticache_replication_group.this.primary_endpoint_address
}

output "redis_id" {
  description = "The id of Redis in ElastiCache."
  value       = aws_elasticache_replication_group.this.id
}

output "redis_nodes" {
  description = "The number of Redis nodes; AWS names them by the id of Redis and a number, such as ID-001."
  value       = aws_elasticache_replication_group.this.num_cache_clusters
}

output "backup_bucket" {
  description = "The bucket for backups of hosts outside AWS."
  value       = aws_s3_bucket.backups.id
}
