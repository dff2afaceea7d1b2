output "role_arn" {
  description = "The role of the workflow: AWS_ROLE of the environment on GitHub."
  value       = aws_iam_role.this.arn
}
