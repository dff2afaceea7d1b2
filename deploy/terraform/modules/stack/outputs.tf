output "url" {
  description = "Where people find it: URL of the environment on GitHub."
  value       = module.edge.url
}

output "deploy_role_arn" {
  description = "AWS_ROLE of the environment on GitHub."
  value       = module.pipeline.role_arn
}

output "database_arn" {
  description = "What database_source_arn is in a second region."
  value       = module.data.database_arn
}

output "repository_url" {
  description = "Where images may be kept."
  value       = module.service.repository_url
}

output "log_group_name" {
  description = "The server's lines."
  value       = module.service.log_group_name
}

output "alarms_topic_arn" {
  description = "Where alarms go."
  value       = module.observability.topic_arn
}
