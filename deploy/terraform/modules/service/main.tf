# The server on Fargate: its image repository, its task with the proxy beside it, and the number of tasks.

# --- the image -------------------------------------------------------------------------------------------------------------

resource "aws_ecr_repository" "this" {
  name                 = var.name
  image_tag_mutability = "IMMUTABLE"
  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = var.kms_key_arn
  }
  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  repository = aws_ecr_repository.this.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Keep the last hundred for rollbacks"
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 100 }
      action       = { type = "expire" }
    }]
  })
}

# --- its roles -------------------------------------------------------------------------------------------------------

locals {
  assumed_by_tasks = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }]
  })
}

# The rights that ECS needs to start a task.
resource "aws_iam_role" "execution" {
  name               = "${var.name}-execution"
  assume_role_policy = local.assumed_by_tasks
}

resource "aws_iam_role_policy" "execution" {
  name = "start"
  role = aws_iam_role.execution.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { # the only action here that AWS cannot limit to a resource
        Effect   = "Allow"
        Action   = "ecr:GetAuthorizationToken"
        Resource = "*"
      },
      {
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"]
        Resource = aws_ecr_repository.this.arn
      },
      {
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.this.arn}:*"
      },
      {
        Effect   = "Allow"
        Action   = "secretsmanager:GetSecretValue"
        Resource = distinct(values(local.secrets))
      },
      {
        Effect   = "Allow"
        Action   = "kms:Decrypt"
        Resource = var.kms_key_arn
      },
    ]
  })
}

# The server itself never calls AWS, so its role has no rights.
resource "aws_iam_role" "task" {
  name               = "${var.name}-task"
  assume_role_policy = local.assumed_by_tasks
}

# --- what runs -------------------------------------------------------------------------------------------------------------

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:30 days as for all logs, since they contain personal data
  name              = "/${var.name}/api"
  retention_in_days = 30
  kms_key_id        = var.kms_key_arn
}

locals {
  logs = {
    logDriver = "awslogs"
    options = {
      awslogs-group         = aws_cloudwatch_log_group.this.name
      awslogs-region        = var.region
      awslogs-stream-prefix = "ecs"
      mode                  = "non-blocking" # a stalled log delays no request
      max-buffer-size       = "8m"
    }
  }
  environment = merge({
    # The load balancer closes idle connections, never the server: a request that is on its way would be a 502.
    HTTP_IDLE_SECONDS = tostring(var.balancer_idle_seconds + 30)
    }, var.settings, {
    ENVIRONMENT            = var.environment == "dev" ? "development" : var.environment
    LOG_FORMAT             = "json"
    MIGRATE_ON_START       = "off"
    SHUTDOWN_DRAIN_SECONDS = "15"
    TRUSTED_PROXIES        = var.trusted_network
  })
  secrets = merge(var.secret_settings, { for name, arn in var.secret_arns : upper(name) => arn })
  server = {
    name                   = "api"
    image                  = var.image
    essential              = true
    user                   = "1001:1001"
    readonlyRootFilesystem = true
    linuxParameters        = { capabilities = { drop = ["ALL"] } }
    environment            = [for name, value in local.environment : { name = name, value = value }]
    secrets                = [for name, arn in local.secrets : { name = name, valueFrom = arn }]
    logConfiguration       = local.logs
  }
  # Speaks TLS with Redis for the server, and closes connections to a primary that was demoted.
  proxy = {
    name                   = "redis-tls"
    image                  = var.proxy_image
    essential              = true
    user                   = "99:99"
    readonlyRootFilesystem = true
    linuxParameters        = { capabilities = { drop = ["ALL"] } }
    # The configuration comes from the environment, so that no file has to be written.
    entryPoint       = ["bash", "-c", "exec haproxy -db -f <(printf %s \"$CONFIGURATION\")"]
    environment      = [{ name = "CONFIGURATION", value = templatefile("${path.module}/haproxy.cfg", { host = var.redis_host, port = 6379, authorities = "@system-ca", listen = "127.0.0.1:6379" }) }]
    logConfiguration = local.logs
  }
}

resource "aws_ecs_task_definition" "api" {
  family                   = "${var.name}-api"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "ARM64"
  }
  container_definitions = jsonencode([
    local.proxy,
    merge(local.server, {
      command      = ["serve"]
      portMappings = [{ containerPort = 3000, protocol = "tcp" }, { containerPort = 9464, protocol = "tcp" }]
      dependsOn    = [{ containerName = "redis-tls", condition = "START" }]
      stopTimeout  = 60 # 15 s of draining and 20 s for requests in flight, with room
      healthCheck  = { command = ["CMD", "terroir", "healthcheck"], interval = 10, timeout = 5, retries = 3, startPeriod = 60 }
    }),
  ])
}

# One-shot tasks: `migrate` before a release, `watch` after it. scripts/deploy-ecs gives the command.
resource "aws_ecs_task_definition" "tool" {
  family                   = "${var.name}-tool"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "ARM64"
  }
  container_definitions = jsonencode([merge(local.server, { command = ["version"] })])
}

resource "aws_ecs_cluster" "this" {
  name = var.name
  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_vpc_security_group_ingress_rule" "balancer" {
  security_group_id            = var.security_group_id
  description                  = "Requests from the load balancer"
  referenced_security_group_id = var.balancer_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 3000
  to_port                      = 3000
}

resource "aws_vpc_security_group_ingress_rule" "watch" {
  for_each                     = { requests = 3000, metrics = 9464 }
  security_group_id            = var.security_group_id
  description                  = "Tasks that watch a new release: ${each.key}"
  referenced_security_group_id = var.security_group_id
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
}

# Images, secrets, logs, insight providers and webhooks.
resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = var.security_group_id
  description       = "AWS, and what the server calls"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# Mail, by TLS or STARTTLS, if a mail server is named.
resource "aws_vpc_security_group_egress_rule" "mail" {
  for_each          = contains(keys(var.secret_settings), "SMTP_URL") ? { tls = 465, starttls = 587 } : {}
  security_group_id = var.security_group_id
  description       = "The mail server: ${each.key}"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
}

resource "aws_vpc_security_group_egress_rule" "inside" {
  for_each          = { postgres = 5432, redis = 6379, requests = 3000, metrics = 9464 }
  security_group_id = var.security_group_id
  description       = "Within the network: ${each.key}"
  cidr_ipv4         = var.trusted_network
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
}

resource "aws_ecs_service" "this" {
  name                               = "api"
  cluster                            = aws_ecs_cluster.this.id
  task_definition                    = aws_ecs_task_definition.api.arn
  launch_type                        = "FARGATE"
  desired_count                      = var.minimum
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = 60
  availability_zone_rebalancing      = "ENABLED"
  enable_ecs_managed_tags            = true
  propagate_tags                     = "SERVICE"
  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [var.security_group_id]
    assign_public_ip = false
  }
  load_balancer {
    target_group_arn = var.target_group_arn
    container_name   = "api"
    container_port   = 3000
  }
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }
  lifecycle { # the pipeline sets the task definition, autoscaling sets the count
    ignore_changes = [task_definition, desired_count]
  }
}

# --- the number of tasks ---------------------------------------------------------------------------------------------

resource "aws_appautoscaling_target" "this" {
  service_namespace  = "ecs"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.this.name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = var.minimum
  max_capacity       = var.maximum
}

resource "aws_appautoscaling_policy" "cpu" {
  name               = "cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  resource_id        = aws_appautoscaling_target.this.resource_id
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension
  target_tracking_scaling_policy_configuration {
    target_value       = 60
    scale_in_cooldown  = 300
    scale_out_cooldown = 60
    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

resource "aws_appautoscaling_policy" "requests" {
  name               = "requests"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  resource_id        = aws_appautoscaling_target.this.resource_id
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension
  target_tracking_scaling_policy_configuration {
    target_value       = var.requests_per_task
    scale_in_cooldown  = 300
    scale_out_cooldown = 60
    predefined_metric_specification {
      predefined_metric_type = "ALBRequestCountPerTarget"
      resource_label         = var.request_count_label
    }
  }
}
