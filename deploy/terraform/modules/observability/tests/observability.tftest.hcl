mock_provider "aws" {
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-central-1:123456789012:terroir-test-alarms" }
  }
}

variables {
  name                = "terroir-test"
  mail_to             = ["operators@example.org"]
  balancer_suffix     = "app/terroir-test/1"
  target_group_suffix = "targetgroup/terroir-test/1"
  cluster_name        = "terroir-test"
  database_identifier = "terroir-test"
  redis_id            = "terroir-test"
  redis_nodes         = 2
  kms_key_arn         = "arn:aws:kms:eu-central-1:123456789012:key/test"
}

run "every_alarm_reaches_somebody_and_so_does_its_end" {
  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_actions == toset([aws_sns_topic.this.arn]) && alarm.ok_actions == toset([aws_sns_topic.this.arn])])
    error_message = "An alarm is silent."
  }
  assert {
    condition     = length(aws_sns_topic_subscription.mail) == 1 && aws_sns_topic.this.kms_master_key_id == var.kms_key_arn
    error_message = "Nobody listens, or others read along."
  }
}

run "the_disk_is_watched_from_below" {
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["disk-low"].comparison_operator == "LessThanThreshold" && aws_cloudwatch_metric_alarm.this["errors"].comparison_operator == "GreaterThanThreshold"
    error_message = "A limit is looked at from the wrong side."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["slow"].extended_statistic == "p95"
    error_message = "Slowness is not told by the slowest in twenty."
  }
}

run "each_node_of_redis_is_watched_by_its_name" {
  assert {
    condition = toset([for name, alarm in aws_cloudwatch_metric_alarm.this : jsonencode([name, alarm.dimensions]) if alarm.namespace == "AWS/ElastiCache"]) == toset(flatten([
      for kind in ["memory", "engine"] : [for number in ["001", "002"] : jsonencode(["redis-${kind}-${number}", { CacheClusterId = "terroir-test-${number}" }])]
    ]))
    error_message = "ElastiCache has no metrics under that name."
  }
}

run "that_no_task_is_left_is_told_though_nobody_counts" {
  assert {
    condition     = [for name, alarm in aws_cloudwatch_metric_alarm.this : name if alarm.treat_missing_data == "breaching"] == ["gone"] && aws_cloudwatch_metric_alarm.this["gone"].comparison_operator == "LessThanThreshold" && aws_cloudwatch_metric_alarm.this["gone"].threshold == 1
    error_message = "Nobody hears of it."
  }
}

run "nobody_to_tell_is_refused" {
  command = plan
  variables {
    mail_to = []
  }
  expect_failures = [var.mail_to]
}
