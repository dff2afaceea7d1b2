output "vpc_id" {
  description = "The network."
  value       = aws_vpc.this.id
}

output "public_subnet_ids" {
  description = "The subnets of the load balancer."
  value       = aws_subnet.public[*].id
}

output "private_subnet_ids" {
  description = "The subnets of the tasks."
  value       = aws_subnet.private[*].id
}

output "data_subnet_ids" {
  description = "The subnets of the stores."
  value       = aws_subnet.data[*].id
}
