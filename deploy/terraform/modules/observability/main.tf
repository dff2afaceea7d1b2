# Alarms on what AWS itself measures; the server's own metrics are in Prometheus (monitoring/).

resource "aws_sns_topic" "this" {
  name              = "${var.name}-alarms"
  kms_master_key_id = var.kms_key_arn
}

resource "aws_sns_topic_subscription" "mail" {
  for_each  = toset(var.mail_to)
  topic_arn = aws_sns_topic.this.arn
  protocol  = "email"
  endpoint  = each.key
}

locals {
  balancer = { LoadBalancer = var.balancer_suffix }
  targets  = { LoadBalancer = var.balancer_suffix, TargetGroup = var.target_group_suffix }
  service  = { ClusterName = var.cluster_name, ServiceName = "api" }
  database = { DBInstanceIdentifier = var.database_identifier }
  # ElastiCache reports per node, not for the replication group as a whole.
  nodes = { for number in range(1, var.redis_nodes + 1) : format("%03d", number) => { CacheClusterId = format("%s-%03d", var.redis_id, number) } }
  alarms = merge({
    errors       = { namespace = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", dimensions = local.targets, statistic = "Sum", above = 50, minutes = 5, says = "More than 50 requests a minute fail" }
    balancer     = { namespace = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", dimensions = local.balancer, statistic = "Sum", above = 10, minutes = 5, says = "The load balancer answers with errors of its own: it finds no task that serves" }
    slow         = { namespace = "AWS/ApplicationELB", metric = "TargetResponseTime", dimensions = local.targets, statistic = "p95", above = 2, minutes = 5, says = "One request in twenty takes more than two seconds" }
    unhealthy    = { namespace = "AWS/ApplicationELB", metric = "UnHealthyHostCount", dimensions = local.targets, statistic = "Maximum", above = 0, minutes = 5, says = "A task is not ready" }
    cpu          = { namespace = "AWS/ECS", metric = "CPUUtilization", dimensions = local.service, statistic = "Average", above = 85, minutes = 15, says = "The tasks are short of CPU" }
    memory       = { namespace = "AWS/ECS", metric = "MemoryUtilization", dimensions = local.service, statistic = "Maximum", above = 85, minutes = 10, says = "A task uses most of its memory" }
    database-cpu = { namespace = "AWS/RDS", metric = "CPUUtilization", dimensions = local.database, statistic = "Average", above = 85, minutes = 15, says = "Postgres is short of CPU" }
    connections  = { namespace = "AWS/RDS", metric = "DatabaseConnections", dimensions = local.database, statistic = "Maximum", above = var.database_connections, minutes = 5, says = "Postgres has many connections" }
    disk-low     = { namespace = "AWS/RDS", metric = "FreeStorageSpace", dimensions = local.database, statistic = "Minimum", below = 5368709120, minutes = 5, says = "Postgres has less than 5 GB left" }
    # When no task is left, there are no samples either.
    gone = { namespace = "AWS/ApplicationELB", metric = "HealthyHostCount", dimensions = local.targets, statistic = "Maximum", below = 1, minutes = 2, missing = "breaching", says = "No task is ready" }
    }, {
    for number, node in local.nodes : "redis-memory-${number}" =>
    { namespace = "AWS/ElastiCache", metric = "DatabaseMemoryUsagePercentage", dimensions = node, statistic = "Maximum", above = 90, minutes = 5, says = "Redis is nearly full" }
    }, {
    for number, node in local.nodes : "redis-engine-${number}" =>
    { namespace = "AWS/ElastiCache", metric = "EngineCPUUtilization", dimensions = node, statistic = "Average", above = 85, minutes = 15, says = "Redis is short of CPU" }
  })
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.alarms
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.says
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  comparison_operator = try(each.value.below, null) != null ? "LessThanThreshold" : "GreaterThanThreshold"
  threshold           = try(each.value.below, each.value.above)
  period              = 60
  evaluation_periods  = each.value.minutes
  datapoints_to_alarm = each.value.minutes
  treat_missing_data  = try(each.value.missing, "notBreaching")
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]
}
