output "url" {
  description = "The public address: URL of the environment on GitHub."
  value       = module.edge.url
}

output "deploy_role_arn" {
  description = "AWS_ROLE of the environment on GitHub."
  value       = module.pipeline.role_arn
}

output "database_arn" {
  description = "The value of database_source_arn in a second region."
  value       = module.data.database_arn
}

output "repository_url" {
  description = "The repository that images may be kept in."
  value       = module.service.repository_url
}

output "log_group_name" {
  description = "The log group of the server and its proxy."
  value       = module.service.log_group_name
}

output "alarms_topic_arn" {
  description = "The topic that alarms are sent to."
  value       = module.observability.topic_arn
}
