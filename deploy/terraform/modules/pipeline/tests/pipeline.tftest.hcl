mock_provider "aws" {}

variables {
  name                  = "terroir-staging"
  environment           = "staging"
  region                = "eu-central-1"
  account_id            = "123456789012"
  repository            = "example/terroir"
  identity_provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
  passed_role_arns      = ["arn:aws:iam::123456789012:role/terroir-staging-execution", "arn:aws:iam::123456789012:role/terroir-staging-task"]
}

run "one_environment_of_one_repository_may_take_the_role" {
  command = plan
  assert {
    condition = jsondecode(aws_iam_role.this.assume_role_policy).Statement[0].Condition.StringEquals == {
      "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
      "token.actions.githubusercontent.com:sub" = "repo:example/terroir:environment:staging"
    }
    error_message = "Others may take the role."
  }
}

run "a_right_holds_for_everything_only_where_aws_knows_nothing_narrower" {
  command = plan
  assert {
    condition = alltrue([for statement in jsondecode(aws_iam_role_policy.this.policy).Statement :
      statement.Resource != "*" || statement.Action == "ecs:DescribeTaskDefinition" || (statement.Action == "ecs:ListTasks" && can(statement.Condition.ArnEquals["ecs:cluster"]))
    ])
    error_message = "A statement applies to all resources."
  }
  assert {
    condition     = !can(regex("\"[a-z0-9]+:[A-Za-z]*\\*\"", aws_iam_role_policy.this.policy))
    error_message = "An action contains a wildcard."
  }
  assert {
    condition = alltrue([for statement in jsondecode(aws_iam_role_policy.this.policy).Statement :
      try(statement.Condition.StringEquals["iam:PassedToService"], statement.Action == "iam:PassRole" ? "any" : "none") != "any"
    ])
    error_message = "A role may be passed to another service."
  }
}

run "only_what_deploys_have_taken_may_be_deleted" {
  command = plan
  assert {
    condition = [for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : statement.Resource if can(regex(":Delete", jsonencode(statement.Action)))] == [
      "arn:aws:rds:eu-central-1:123456789012:snapshot:terroir-staging-before-*"
    ]
    error_message = "Other snapshots than those of deploys may be deleted, or none at all."
  }
}

run "a_pattern_of_repositories_is_refused" {
  command = plan
  variables {
    repository = "example/*"
  }
  expect_failures = [var.repository]
}
