output "vpc_id" {
  description = "The network."
  value       = aws_vpc.this.id
}

output "public_subnet_ids" {
  description = "Where the load balancer is."
  value       = aws_subnet.public[*].id
}

output "private_subnet_ids" {
  description = "Where tasks run."
  value       = aws_subnet.private[*].id
}

output "data_subnet_ids" {
  description = "Where the stores are."
  value       = aws_subnet.data[*].id
}
