mock_provider "aws" {
  mock_resource "aws_acm_certificate" {
    defaults = {
      arn                       = "arn:aws:acm:eu-central-1:123456789012:certificate/1"
      domain_validation_options = [{ domain_name = "terroir.example.org", resource_record_name = "_1.terroir.example.org", resource_record_type = "CNAME", resource_record_value = "_2.acm.example" }]
    }
  }
  mock_resource "aws_lb" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/terroir-test/1", dns_name = "terroir-test.elb.example.org", zone_id = "Z1" }
  }
  mock_resource "aws_lb_listener" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/terroir-test/1/2" }
  }
  mock_resource "aws_lb_target_group" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/terroir-test/1" }
  }
  mock_resource "aws_acm_certificate_validation" {
    defaults = { certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1" }
  }
  mock_resource "aws_wafv2_web_acl" {
    defaults = { arn = "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/terroir-test/1" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:aws-waf-logs-terroir-test" }
  }
}

variables {
  name                      = "terroir-test"
  account_id                = "123456789012"
  vpc_id                    = "vpc-1"
  subnet_ids                = ["subnet-1", "subnet-2", "subnet-3"]
  service_security_group_id = "sg-1"
  domain                    = "terroir.example.org"
  zone_id                   = "Z2"
  failover                  = "PRIMARY"
  requests_per_address      = 6000
  kms_key_arn               = "arn:aws:kms:eu-central-1:123456789012:key/test"
}

run "it_speaks_tls_and_leads_there" {
  assert {
    condition     = aws_lb_listener.https.protocol == "HTTPS" && can(regex("TLS13", aws_lb_listener.https.ssl_policy))
    error_message = "TLS 1.3 is not offered."
  }
  assert {
    condition     = aws_lb_listener.http.default_action[0].type == "redirect" && aws_lb_listener.http.default_action[0].redirect[0].protocol == "HTTPS"
    error_message = "Requests are answered without TLS."
  }
  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.balancer : rule.from_port]) == toset([80, 443])
    error_message = "Another port is open to the world."
  }
}

run "it_reaches_the_tasks_alone" {
  assert {
    condition     = aws_vpc_security_group_egress_rule.balancer.referenced_security_group_id == "sg-1" && aws_vpc_security_group_egress_rule.balancer.from_port == 3000
    error_message = "The load balancer may connect to more than the tasks."
  }
}

run "it_is_not_deleted_by_mistake_and_its_lines_are_kept" {
  assert {
    condition     = aws_lb.this.enable_deletion_protection && aws_lb.this.access_logs[0].enabled && aws_lb.this.drop_invalid_header_fields
    error_message = "The load balancer lacks deletion protection or access logs, or accepts invalid header fields."
  }
}

run "what_answers_after_minutes_is_waited_for" {
  assert {
    condition     = aws_lb.this.idle_timeout >= 600
    error_message = "The load balancer gives up what the server goes on with."
  }
}

run "how_long_an_idle_connection_stays_is_said" {
  assert {
    condition     = output.idle_seconds == aws_lb.this.idle_timeout
    error_message = "The servers do not learn how long the load balancer keeps a connection."
  }
}

run "metrics_are_not_for_the_world" {
  assert {
    condition     = aws_lb_listener_rule.metrics.action[0].fixed_response[0].status_code == "403" && toset(one([for condition in aws_lb_listener_rule.metrics.condition : condition.path_pattern[0].values])) == toset(["/metrics", "/api/metrics"])
    error_message = "The metrics are public."
  }
}

run "the_firewall_limits_each_address_and_knows_the_common_attacks_and_bots" {
  assert {
    condition     = one([for rule in aws_wafv2_web_acl.this.rule : rule.statement[0].rate_based_statement[0] if rule.name == "rate"]).limit == 6000 && length(one([for rule in aws_wafv2_web_acl.this.rule : rule.statement[0].rate_based_statement[0].scope_down_statement if rule.name == "rate"])) == 0
    error_message = "There is no rate limit, or not for every address."
  }
  assert {
    condition = length(setsubtract(
      ["AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesBotControlRuleSet"],
      flatten([for rule in aws_wafv2_web_acl.this.rule : [for group in rule.statement[0].managed_rule_group_statement : group.name]])
    )) == 0
    error_message = "The firewall lacks a managed rule group."
  }
  assert {
    condition     = aws_wafv2_web_acl_association.this.resource_arn == aws_lb.this.arn
    error_message = "The firewall is not attached to the load balancer."
  }
}

run "batches_and_devices_that_name_no_program_pass" {
  assert {
    condition = toset(flatten([for rule in aws_wafv2_web_acl.this.rule : [
      for override in rule.statement[0].managed_rule_group_statement[0].rule_action_override : override.name if length(override.action_to_use[0].count) == 1
    ] if rule.name == "AWSManagedRulesCommonRuleSet"])) == toset(["SizeRestrictions_BODY", "NoUserAgent_HEADER"])
    error_message = "The firewall blocks devices, or lets too much through."
  }
}

run "a_page_and_its_scripts_come_from_one_task" {
  assert {
    condition     = one([for stickiness in aws_lb_target_group.this.stickiness : stickiness.type]) == "lb_cookie"
    error_message = "During a deploy a page and its scripts may come from two releases."
  }
}

run "the_name_fails_over_by_a_look_at_readiness" {
  assert {
    condition     = aws_route53_record.this.failover_routing_policy[0].type == "PRIMARY" && aws_route53_record.this.health_check_id == aws_route53_health_check.this.id && aws_route53_health_check.this.resource_path == "/readyz"
    error_message = "The domain name does not fail over by the check of /readyz."
  }
}

run "another_role_is_refused" {
  command = plan
  variables {
    failover = "THIRD"
  }
  expect_failures = [var.failover]
}
