output "balancer_security_group_id" {
  description = "The load balancer's group."
  value       = aws_security_group.balancer.id
}

output "target_group_arn" {
  description = "Where the load balancer looks for tasks, once it listens."
  value       = aws_lb_target_group.this.arn
  depends_on  = [aws_lb_listener.https]
}

output "request_count_label" {
  description = "The load balancer and its target group, as the count of requests for each target names them."
  value       = "${aws_lb.this.arn_suffix}/${aws_lb_target_group.this.arn_suffix}"
}

output "balancer_suffix" {
  description = "The load balancer, as metrics name it."
  value       = aws_lb.this.arn_suffix
}

output "target_group_suffix" {
  description = "The target group, as metrics name it."
  value       = aws_lb_target_group.this.arn_suffix
}

output "url" {
  description = "Where people find it."
  value       = "https://${var.domain}"
}
