.DEFAULT_GOAL := help
.PHONY: help run test simulate check volume-test mutate bench bench-check stack-test deploy-test pipeline-test release release-test backup-test drill coverage live-test image image-test fault-test fuzz sanitize format hooks openapi secrets clean scale-test scale-model insights-eval insights-replay

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

run: ## Build and serve on :3000 with private stores and demo data
	@scripts/run

test: ## Build and run every test against private stores
	@scripts/test

simulate: ## Run the code that writes readings against injected faults, with a thousand seeds (SEED=N for one)
	@scripts/simulate

volume-test: ## Load years of readings and orders, check how much each statement reads, and report what sealing saves
	@VOLUME=full scripts/test --filter VolumeTests

check: ## Every static check: style, scripts, configuration, rules, dashboards
	@scripts/check

mutate: ## Break alerts, rules, Alertmanager and nginx in every way, and show the faults that no test notices
	@scripts/mutate

bench: ## Measure throughput against the reference servers
	@bench/run

bench-check: ## Compare the instruction counts of small parts with the baseline
	@bench/check

stack-test: ## Run the server inside real nginx, Prometheus, Alertmanager and exporters
	@scripts/stack-test

deploy-test: ## Deploy under load, deploy bad builds, and kill deploys, with real servers and a real nginx
	@scripts/deploy-test

pipeline-test: ## Run the workflows' light jobs, and a deploy to a stand-in for AWS
	@scripts/pipeline-test

release: ## Build a release of this commit into dist: archive, package, image, bills of materials, checksums
	@scripts/release

release-test: ## Build a release twice, and install, use, upgrade and purge its package in a bare Debian
	@scripts/release-test

coverage: ## Report how much of the code the tests cover
	@scripts/coverage

insights-eval: ## Evaluate frost, anomalies and watering on station years from PyPI, and print the tables of docs/insights.md
	@scripts/insights-eval

insights-replay: ## Replay a healthy year through the server, and count the insights (STATION=Newark FROM=1 DAYS=364 MINUTES=)
	@scripts/insights-replay

backup-test: ## Back up, damage, lose and restore a real database
	@scripts/backup-test

scale-test: ## Test reading from standbys, failover, PgBouncer, and Sentinel behind haproxy
	@scripts/scale-test

scale-model: ## Measure the cost of a post, a reading and a stream, and write what many devices need into docs/scaling.md
	@scripts/scale-model

drill: ## Cause each disaster, and write the loss and the time of recovery into docs/disaster-recovery.md (READINGS=5000000)
	@READINGS=$${READINGS:-5000000} WRITE=yes scripts/backup-test Tests.Recovery.test_disasters

live-test: ## Send generated requests to a running server, and open its pages in a browser
	@scripts/live-test

image: ## Build the container image of this commit, as terroir:dev (or IMAGE=NAME:TAG)
	@scripts/image $(IMAGE)

image-test: ## Build the image and test the compose stack (needs a Docker engine)
	@scripts/image-test

fault-test: ## Break each part of the stack on a Docker engine, and write the table of docs/operations.md
	@scripts/image-test Tests.Image.faults

fuzz: ## Fuzz the parsers for half an hour
	@scripts/fuzz

sanitize: ## Run every test under AddressSanitizer, then under ThreadSanitizer
	@scripts/sanitize address
	@scripts/sanitize thread

format: ## Format the Swift sources in place
	@swift format --in-place --parallel --recursive Package.swift Sources Tests fuzz bench

openapi: ## Write docs/openapi.json, after an intended change of the API
	@swift build --product terroir
	@scripts/openapi .build/debug/terroir

hooks: ## Make git check style and layers before each commit
	@git config core.hooksPath scripts/hooks

secrets: ## Write the secrets that compose needs, if they are missing
	@scripts/secrets

clean: ## Remove the builds, the private stores and their data
	@for instance in .terroir/*/; do [ ! -d "$$instance" ] || scripts/stores -i "$$(basename "$$instance")" destroy; done
	@rm -rf .build* .venv* .terroir
