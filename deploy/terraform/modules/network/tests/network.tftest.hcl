mock_provider "aws" {
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:/terroir-test/flow" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/terroir-test-flow" }
  }
}

variables {
  name         = "terroir-test"
  region       = "eu-central-1"
  cidr         = "10.20.0.0/16"
  nat_per_zone = true
  kms_key_arn  = "arn:aws:kms:eu-central-1:123456789012:key/test"
}

run "each_layer_stands_in_three_zones" {
  command = plan
  assert {
    condition     = alltrue([for layer in [aws_subnet.public, aws_subnet.private, aws_subnet.data] : length(distinct(layer[*].availability_zone)) == 3])
    error_message = "A layer is in fewer than three zones."
  }
  assert {
    condition     = length(distinct(concat(aws_subnet.public[*].cidr_block, aws_subnet.private[*].cidr_block, aws_subnet.data[*].cidr_block))) == 9
    error_message = "Two subnets share addresses."
  }
}

run "nothing_gets_a_public_address_by_itself_and_the_stores_reach_nothing" {
  assert {
    condition     = alltrue([for subnet in concat(aws_subnet.public, aws_subnet.private, aws_subnet.data) : subnet.map_public_ip_on_launch != true])
    error_message = "A subnet assigns public addresses."
  }
  assert {
    condition     = length(aws_route_table.data.route) == 0 && length(aws_route_table.public.route) == 1
    error_message = "The stores' subnets have a route to the internet."
  }
  assert {
    condition     = length(aws_default_security_group.this.ingress) == 0 && length(aws_default_security_group.this.egress) == 0
    error_message = "The default security group lets something through."
  }
}

run "each_zone_has_a_way_out_where_a_zone_may_be_lost" {
  command = plan
  assert {
    condition     = length(aws_nat_gateway.this) == 3
    error_message = "A zone depends on another zone's NAT gateway."
  }
}

run "one_way_out_is_enough_elsewhere" {
  command = plan
  variables {
    nat_per_zone = false
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route_table.private) == 3
    error_message = "There is more than one NAT gateway, or a zone has no route to it."
  }
}

run "what_passes_is_logged_for_30_days_and_encrypted" {
  command = plan
  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL" && aws_cloudwatch_log_group.flow.retention_in_days == 30 && aws_cloudwatch_log_group.flow.kms_key_id == var.kms_key_arn
    error_message = "The flow log does not record all traffic, is not kept for 30 days, or is not encrypted."
  }
}

run "a_network_that_is_too_small_is_refused" {
  command = plan
  variables {
    cidr = "10.20.0.0/24"
  }
  expect_failures = [var.cidr]
}
