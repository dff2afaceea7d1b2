mock_provider "aws" {
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-central-1:123456789012:terroir-test-alarms" }
  }
}

variables {
  name                 = "terroir-test"
  mail_to              = ["operators@example.org"]
  balancer_suffix      = "app/terroir-test/1"
  target_group_suffix  = "targetgroup/terroir-test/1"
  cluster_name         = "terroir-test"
  database_identifier  = "terroir-test"
  database_connections = 320
  redis_id             = "terroir-test"
  redis_nodes          = 2
  kms_key_arn          = "arn:aws:kms:eu-central-1:123456789012:key/test"
}

run "every_alarm_reaches_somebody_and_so_does_its_end" {
  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_actions == toset([aws_sns_topic.this.arn]) && alarm.ok_actions == toset([aws_sns_topic.this.arn])])
    error_message = "An alarm does not notify the topic when it goes off and when it ends."
  }
  assert {
    condition     = length(aws_sns_topic_subscription.mail) == 1 && aws_sns_topic.this.kms_master_key_id == var.kms_key_arn
    error_message = "The topic has no subscription or is not encrypted by our key."
  }
}

run "the_disk_is_watched_from_below" {
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["disk-low"].comparison_operator == "LessThanThreshold" && aws_cloudwatch_metric_alarm.this["errors"].comparison_operator == "GreaterThanThreshold"
    error_message = "A threshold is compared in the wrong direction."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["slow"].extended_statistic == "p95"
    error_message = "Slowness is not measured by P95."
  }
}

run "each_node_of_redis_is_watched_by_its_name" {
  assert {
    condition = toset([for name, alarm in aws_cloudwatch_metric_alarm.this : jsonencode([name, alarm.dimensions]) if alarm.namespace == "AWS/ElastiCache"]) == toset(flatten([
      for kind in ["memory", "engine"] : [for number in ["001", "002"] : jsonencode(["redis-${kind}-${number}", { CacheClusterId = "terroir-test-${number}" }])]
    ]))
    error_message = "The alarms on Redis do not name the nodes as ElastiCache's metrics do."
  }
}

run "that_no_task_is_left_is_told_though_nobody_counts" {
  assert {
    condition     = [for name, alarm in aws_cloudwatch_metric_alarm.this : name if alarm.treat_missing_data == "breaching"] == ["gone"] && aws_cloudwatch_metric_alarm.this["gone"].comparison_operator == "LessThanThreshold" && aws_cloudwatch_metric_alarm.this["gone"].threshold == 1
    error_message = "No alarm goes off when no task is left and samples are missing."
  }
}

run "nobody_to_tell_is_refused" {
  command = plan
  variables {
    mail_to = []
  }
  expect_failures = [var.mail_to]
}
