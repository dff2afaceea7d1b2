mock_provider "aws" {
  mock_resource "aws_ecr_repository" {
    defaults = { arn = "arn:aws:ecr:eu-central-1:123456789012:repository/terroir-test" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:/terroir-test/api" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/terroir-test" }
  }
  mock_resource "aws_ecs_cluster" {
    defaults = { id = "arn:aws:ecs:eu-central-1:123456789012:cluster/terroir-test" }
  }
  mock_resource "aws_ecs_task_definition" {
    defaults = { arn = "arn:aws:ecs:eu-central-1:123456789012:task-definition/terroir-test-api:1" }
  }
}

variables {
  name                       = "terroir-test"
  environment                = "production"
  region                     = "eu-central-1"
  image                      = "ghcr.io/example/terroir@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  proxy_image                = "haproxy@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
  cpu                        = 512
  memory                     = 1024
  minimum                    = 2
  maximum                    = 10
  subnet_ids                 = ["subnet-1", "subnet-2", "subnet-3"]
  security_group_id          = "sg-1"
  balancer_security_group_id = "sg-2"
  trusted_network            = "10.20.0.0/16"
  target_group_arn           = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/terroir-test/1"
  request_count_label        = "app/terroir-test/1/targetgroup/terroir-test/1"
  secret_arns = {
    database_url = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:database_url"
    redis_url    = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:redis_url"
    jwt_secret   = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:jwt_secret"
  }
  redis_host  = "redis.example.org"
  kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/test"
}

run "there_are_two_to_ten_tasks_by_processor_and_by_requests" {
  assert {
    condition     = aws_appautoscaling_target.this.min_capacity == 2 && aws_appautoscaling_target.this.max_capacity == 10
    error_message = "There are fewer than two or more than ten."
  }
  assert {
    condition = toset([for policy in [aws_appautoscaling_policy.cpu, aws_appautoscaling_policy.requests] :
      policy.target_tracking_scaling_policy_configuration[0].predefined_metric_specification[0].predefined_metric_type
    ]) == toset(["ECSServiceAverageCPUUtilization", "ALBRequestCountPerTarget"])
    error_message = "The number follows something else."
  }
}

run "a_release_that_does_not_come_up_goes_back_and_takes_nothing_away_before" {
  assert {
    condition     = aws_ecs_service.this.deployment_circuit_breaker[0].enable && aws_ecs_service.this.deployment_circuit_breaker[0].rollback && aws_ecs_service.this.deployment_minimum_healthy_percent == 100
    error_message = "A bad release stays, or takes the good one's place before it serves."
  }
}

run "tasks_are_not_public_and_write_to_no_disk" {
  assert {
    condition     = !aws_ecs_service.this.network_configuration[0].assign_public_ip
    error_message = "A task has a public address."
  }
  assert {
    condition = alltrue([for container in concat(jsondecode(aws_ecs_task_definition.api.container_definitions), jsondecode(aws_ecs_task_definition.tool.container_definitions)) :
      container.readonlyRootFilesystem && container.user != "0" && contains(container.linuxParameters.capabilities.drop, "ALL") && container.logConfiguration.logDriver == "awslogs"
    ])
    error_message = "A container may more than it has to, or is not heard."
  }
}

run "no_secret_stands_in_the_environment" {
  assert {
    condition = alltrue(flatten([for container in concat(jsondecode(aws_ecs_task_definition.api.container_definitions), jsondecode(aws_ecs_task_definition.tool.container_definitions)) :
      [for variable in container.environment : !can(regex("SECRET|PASSWORD|TOKEN|_URL", variable.name))]
    ]))
    error_message = "A secret stands in the open."
  }
}

run "redis_is_reached_by_a_proxy_that_verifies_it" {
  assert {
    condition     = strcontains(jsondecode(aws_ecs_task_definition.api.container_definitions)[0].environment[0].value, "server primary redis.example.org:6379 ssl verify required verifyhost redis.example.org")
    error_message = "The proxy does not verify whom it speaks with."
  }
  assert {
    condition     = strcontains(jsondecode(aws_ecs_task_definition.api.container_definitions)[0].environment[0].value, "bind 127.0.0.1:6379")
    error_message = "The proxy is open to others."
  }
}

run "the_server_is_given_time_to_end" {
  assert {
    condition     = jsondecode(aws_ecs_task_definition.api.container_definitions)[1].stopTimeout >= 15 + 20 + 10
    error_message = "The server is killed while it answers."
  }
}

run "to_start_a_task_needs_little_and_the_task_itself_nothing" {
  assert {
    condition = alltrue([for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement :
      statement.Resource != "*" || statement.Action == "ecr:GetAuthorizationToken"
    ])
    error_message = "A right holds for everything."
  }
  assert {
    condition     = !strcontains(aws_iam_role_policy.execution.policy, ":*\"]") && !can(regex("\"[a-z]+:\\*\"", aws_iam_role_policy.execution.policy))
    error_message = "All actions of a service are allowed."
  }
}

run "requests_come_from_the_load_balancer_alone" {
  assert {
    condition     = aws_vpc_security_group_ingress_rule.balancer.referenced_security_group_id == "sg-2" && alltrue([for rule in aws_vpc_security_group_ingress_rule.watch : rule.referenced_security_group_id == "sg-1"])
    error_message = "Somebody else reaches the tasks."
  }
}

run "an_image_without_a_digest_is_refused" {
  command = plan
  variables {
    image = "ghcr.io/example/terroir:latest"
  }
  expect_failures = [var.image]
}

run "eleven_tasks_are_refused" {
  command = plan
  variables {
    maximum = 11
  }
  expect_failures = [var.maximum]
}
