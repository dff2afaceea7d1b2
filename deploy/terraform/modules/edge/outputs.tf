output "balancer_security_group_id" {
  description = "The security group of the load balancer."
  value       = aws_security_group.balancer.id
}

output "target_group_arn" {
  description = "The target group of the tasks, once the load balancer listens."
  value       = aws_lb_target_group.this.arn
  depends_on  = [aws_lb_listener.https]
}

output "idle_seconds" {
  description = "How long the load balancer keeps a connection without a request, in seconds."
  value       = aws_lb.this.idle_timeout
}

output "request_count_label" {
  description = "The resource label of the metric of requests per target: the load balancer and its target group."
  value       = "${aws_lb.this.arn_suffix}/${aws_lb_target_group.this.arn_suffix}"
}

output "balancer_suffix" {
  description = "The load balancer's name in metrics."
  value       = aws_lb.this.arn_suffix
}

output "target_group_suffix" {
  description = "The target group's name in metrics."
  value       = aws_lb_target_group.this.arn_suffix
}

output "url" {
  description = "The public address."
  value       = "https://${var.domain}"
}
