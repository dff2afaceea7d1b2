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

run "nobody_to_tell_is_refused" {
  command = plan
  variables {
    mail_to = []
  }
  expect_failures = [var.mail_to]
}
