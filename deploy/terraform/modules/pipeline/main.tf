# What GitHub's workflows may do here without stored keys. Only jobs of one environment in one repository may.

resource "aws_iam_role" "this" {
  name                 = "${var.name}-deploy"
  max_session_duration = 14400
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = var.identity_provider_arn }
      Condition = { StringEquals = {
        "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
        "token.actions.githubusercontent.com:sub" = "repo:${var.repository}:environment:${var.environment}"
      } }
    }]
  })
}

# The rights that scripts/deploy-ecs needs.
resource "aws_iam_role_policy" "this" {
  name = "deploy"
  role = aws_iam_role.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["ecs:DescribeServices", "ecs:UpdateService", "ecs:ListTagsForResource", "ecs:TagResource"]
        Resource = "arn:aws:ecs:${var.region}:${var.account_id}:service/${var.name}/api"
      },
      {
        Effect   = "Allow"
        Action   = ["ecs:DescribeTasks", "ecs:StopTask"]
        Resource = "arn:aws:ecs:${var.region}:${var.account_id}:task/${var.name}/*"
      },
      {
        Effect    = "Allow"
        Action    = "ecs:ListTasks"
        Resource  = "*" # only the condition can limit the listing of tasks to a cluster
        Condition = { ArnEquals = { "ecs:cluster" = "arn:aws:ecs:${var.region}:${var.account_id}:cluster/${var.name}" } }
      },
      {
        Effect    = "Allow"
        Action    = "ecs:RunTask"
        Resource  = "arn:aws:ecs:${var.region}:${var.account_id}:task-definition/${var.name}-tool:*"
        Condition = { ArnEquals = { "ecs:cluster" = "arn:aws:ecs:${var.region}:${var.account_id}:cluster/${var.name}" } }
      },
      {
        Effect   = "Allow"
        Action   = "ecs:RegisterTaskDefinition"
        Resource = [for family in ["api", "tool"] : "arn:aws:ecs:${var.region}:${var.account_id}:task-definition/${var.name}-${family}:*"]
      },
      { # AWS cannot limit this action to resources
        Effect   = "Allow"
        Action   = "ecs:DescribeTaskDefinition"
        Resource = "*"
      },
      {
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = var.passed_role_arns
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
      {
        Effect = "Allow"
        Action = ["rds:CreateDBSnapshot", "rds:AddTagsToResource"]
        Resource = [
          "arn:aws:rds:${var.region}:${var.account_id}:db:${var.name}",
          "arn:aws:rds:${var.region}:${var.account_id}:snapshot:${var.name}-before-*",
        ]
      },
      {
        Effect   = "Allow"
        Action   = "rds:DescribeDBSnapshots"
        Resource = ["arn:aws:rds:${var.region}:${var.account_id}:db:${var.name}", "arn:aws:rds:${var.region}:${var.account_id}:snapshot:*"]
      },
      {
        Effect   = "Allow"
        Action   = "rds:DeleteDBSnapshot"
        Resource = "arn:aws:rds:${var.region}:${var.account_id}:snapshot:${var.name}-before-*"
      },
    ]
  })
}
