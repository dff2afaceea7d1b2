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
  balancer_idle_seconds      = 120
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
    error_message = "The number of tasks does not range from two to ten."
  }
  assert {
    condition = toset([for policy in [aws_appautoscaling_policy.cpu, aws_appautoscaling_policy.requests] :
      policy.target_tracking_scaling_policy_configuration[0].predefined_metric_specification[0].predefined_metric_type
    ]) == toset(["ECSServiceAverageCPUUtilization", "ALBRequestCountPerTarget"])
    error_message = "The number of tasks does not follow CPU and requests."
  }
}

run "a_release_that_does_not_come_up_goes_back_and_takes_nothing_away_before" {
  assert {
    condition     = aws_ecs_service.this.deployment_circuit_breaker[0].enable && aws_ecs_service.this.deployment_circuit_breaker[0].rollback && aws_ecs_service.this.deployment_minimum_healthy_percent == 100
    error_message = "A bad release is not rolled back, or replaces the good one before it serves."
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
    error_message = "A container has more rights than it needs, or no log."
  }
}

run "no_secret_stands_in_the_environment" {
  assert {
    condition = alltrue(flatten([for container in concat(jsondecode(aws_ecs_task_definition.api.container_definitions), jsondecode(aws_ecs_task_definition.tool.container_definitions)) :
      [for variable in container.environment : !can(regex("SECRET|PASSWORD|TOKEN|_URL", variable.name))]
    ]))
    error_message = "A secret is in the plain environment."
  }
}

run "where_no_mail_server_is_named_nothing_leaves_but_by_443" {
  assert {
    condition     = length(aws_vpc_security_group_egress_rule.mail) == 0
    error_message = "The ports for mail are open although no mail server is configured."
  }
}

run "settings_reach_the_server_and_secret_ones_as_secrets_that_alone_may_be_read" {
  variables {
    settings = { PUBLIC_URL = "https://terroir.example.org", SMTP_FROM = "garden@example.org" }
    secret_settings = {
      SMTP_URL       = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:terroir-test/smtp_url-AbCdEf"
      OPENAI_API_KEY = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:terroir-test/openai_api_key-AbCdEf"
    }
  }
  assert {
    condition = alltrue(flatten([for container in concat(jsondecode(aws_ecs_task_definition.api.container_definitions), jsondecode(aws_ecs_task_definition.tool.container_definitions)) :
      [for name, value in var.settings : contains(container.environment, { name = name, value = value })] if container.name == "api"
    ]))
    error_message = "A setting does not reach the server."
  }
  assert {
    condition = alltrue(flatten([for container in concat(jsondecode(aws_ecs_task_definition.api.container_definitions), jsondecode(aws_ecs_task_definition.tool.container_definitions)) :
      [for name, arn in merge(var.secret_settings, { DATABASE_URL = var.secret_arns["database_url"] }) : contains(container.secrets, { name = name, valueFrom = arn })] if container.name == "api"
    ]))
    error_message = "A secret does not reach the server."
  }
  assert {
    condition = one([for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement :
      toset(statement.Resource) if statement.Action == "secretsmanager:GetSecretValue"
    ]) == toset(concat(values(var.secret_arns), values(var.secret_settings)))
    error_message = "The execution role does not read exactly the server's secrets."
  }
  assert {
    condition     = toset([for rule in aws_vpc_security_group_egress_rule.mail : rule.from_port if rule.from_port == rule.to_port]) == toset([465, 587])
    error_message = "The ports for mail are not open."
  }
}

run "a_secret_in_the_open_is_refused" {
  command = plan
  variables {
    settings = { SMTP_URL = "smtps://user:not-a-real-one@mail.example.org:465" }
  }
  expect_failures = [var.settings]
}

run "what_is_fitted_together_is_not_to_be_set" {
  command = plan
  variables {
    settings = { PORT = "8080" }
  }
  expect_failures = [var.settings]
}

run "what_opens_the_stores_is_not_to_be_set" {
  command = plan
  variables {
    secret_settings = { DATABASE_URL = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:other-AbCdEf" }
  }
  expect_failures = [var.secret_settings]
}

run "a_secret_s_value_in_the_place_of_its_arn_is_refused" {
  command = plan
  variables {
    secret_settings = { METRICS_TOKEN = "not-a-real-one" }
  }
  expect_failures = [var.secret_settings]
}

run "redis_is_reached_by_a_proxy_that_verifies_it" {
  assert {
    condition     = strcontains(jsondecode(aws_ecs_task_definition.api.container_definitions)[0].environment[0].value, "server primary redis.example.org:6379 ssl verify required verifyhost redis.example.org")
    error_message = "The proxy does not verify Redis' certificate."
  }
  assert {
    condition     = strcontains(jsondecode(aws_ecs_task_definition.api.container_definitions)[0].environment[0].value, "bind 127.0.0.1:6379")
    error_message = "The proxy does not listen on 127.0.0.1 only."
  }
}

run "the_load_balancer_and_never_the_server_closes_an_idle_connection" {
  assert {
    condition     = one([for variable in jsondecode(aws_ecs_task_definition.api.container_definitions)[1].environment : tonumber(variable.value) if variable.name == "HTTP_IDLE_SECONDS"]) > var.balancer_idle_seconds
    error_message = "The server may close a connection on which a request is on its way."
  }
}

run "the_server_is_given_time_to_end" {
  assert {
    condition     = jsondecode(aws_ecs_task_definition.api.container_definitions)[1].stopTimeout >= 15 + 20 + 10
    error_message = "The server is killed before it has drained and answered."
  }
}

run "to_start_a_task_needs_little_and_the_task_itself_nothing" {
  assert {
    condition = alltrue([for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement :
      statement.Resource != "*" || statement.Action == "ecr:GetAuthorizationToken"
    ])
    error_message = "A statement applies to all resources."
  }
  assert {
    condition     = !strcontains(aws_iam_role_policy.execution.policy, ":*\"]") && !can(regex("\"[a-z]+:\\*\"", aws_iam_role_policy.execution.policy))
    error_message = "All actions of a service are allowed."
  }
}

run "requests_come_from_the_load_balancer_alone" {
  assert {
    condition     = aws_vpc_security_group_ingress_rule.balancer.referenced_security_group_id == "sg-2" && alltrue([for rule in aws_vpc_security_group_ingress_rule.watch : rule.referenced_security_group_id == "sg-1"])
    error_message = "The tasks accept connections from others than the load balancer and one another."
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
