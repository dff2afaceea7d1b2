output "cluster_name" {
  description = "The name of the ECS cluster."
  value       = aws_ecs_cluster.this.name
}

output "service_arn" {
  description = "The ARN of the ECS service."
  value       = aws_ecs_service.this.id
}

output "tool_family" {
  description = "The family of the one-shot tasks' definitions."
  value       = aws_ecs_task_definition.tool.family
}

output "passed_role_arns" {
  description = "The roles that a deploy passes to the tasks that it starts."
  value       = [aws_iam_role.execution.arn, aws_iam_role.task.arn]
}

output "repository_url" {
  description = "The repository that images may be kept in."
  value       = aws_ecr_repository.this.repository_url
}

output "log_group_name" {
  description = "The log group of the server and its proxy."
  value       = aws_cloudwatch_log_group.this.name
}
