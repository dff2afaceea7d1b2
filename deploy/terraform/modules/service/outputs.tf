output "cluster_name" {
  description = "The cluster."
  value       = aws_ecs_cluster.this.name
}

output "service_arn" {
  description = "The service."
  value       = aws_ecs_service.this.id
}

output "tool_family" {
  description = "The task that is run once."
  value       = aws_ecs_task_definition.tool.family
}

output "passed_role_arns" {
  description = "The roles that whoever starts a task hands to it."
  value       = [aws_iam_role.execution.arn, aws_iam_role.task.arn]
}

output "repository_url" {
  description = "Where images may be kept."
  value       = aws_ecr_repository.this.repository_url
}

output "log_group_name" {
  description = "The server's lines."
  value       = aws_cloudwatch_log_group.this.name
}
