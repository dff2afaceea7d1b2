output "topic_arn" {
  description = "The topic that alarms are sent to."
  value       = aws_sns_topic.this.arn
}
