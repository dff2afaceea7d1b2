# Alarms on what AWS itself sees; what the server counts is Prometheus' (monitoring/).

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
  redis    = { ReplicationGroupId = var.redis_id }
  alarms = {
    errors       = { namespace = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", dimensions = local.targets, statistic = "Sum", above = 50, minutes = 5, says = "Requests fail" }
    balancer     = { namespace = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", dimensions = local.balancer, statistic = "Sum", above = 10, minutes = 5, says = "The load balancer finds no task that answers" }
    slow         = { namespace = "AWS/ApplicationELB", metric = "TargetResponseTime", dimensions = local.targets, statistic = "p95", above = 2, minutes = 5, says = "One request in twenty takes more than two seconds" }
    unhealthy    = { namespace = "AWS/ApplicationELB", metric = "UnHealthyHostCount", dimensions = local.targets, statistic = "Maximum", above = 0, minutes = 5, says = "A task is not ready" }
    cpu          = { namespace = "AWS/ECS", metric = "CPUUtilization", dimensions = local.service, statistic = "Average", above = 85, minutes = 15, says = "The tasks are busy, and there are not enough of them" }
    memory       = { namespace = "AWS/ECS", metric = "MemoryUtilization", dimensions = local.service, statistic = "Maximum", above = 85, minutes = 10, says = "The tasks hold much memory" }
    database-cpu = { namespace = "AWS/RDS", metric = "CPUUtilization", dimensions = local.database, statistic = "Average", above = 85, minutes = 15, says = "Postgres is busy" }
    connections  = { namespace = "AWS/RDS", metric = "DatabaseConnections", dimensions = local.database, statistic = "Maximum", above = var.database_connections, minutes = 5, says = "Postgres has many connections" }
    redis-memory = { namespace = "AWS/ElastiCache", metric = "DatabaseMemoryUsagePercentage", dimensions = local.redis, statistic = "Maximum", above = 90, minutes = 5, says = "Redis is nearly full" }
    redis-engine = { namespace = "AWS/ElastiCache", metric = "EngineCPUUtilization", dimensions = local.redis, statistic = "Average", above = 85, minutes = 15, says = "Redis is busy" }
    disk-low     = { namespace = "AWS/RDS", metric = "FreeStorageSpace", dimensions = local.database, statistic = "Minimum", below = 5368709120, minutes = 5, says = "Postgres has less than 5 GB left" }
  }
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
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]
}
