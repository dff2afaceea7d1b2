#!/usr/bin/env bash
# Restores the newest backup and all WAL into a cluster of its own, and checks when a server last wrote to the database,
# which each server does every minute. Any exit code other than 0 fails the Job, and an alert fires.
set -Eeuo pipefail

namespace=terroir-restore-test oldest_seconds=${OLDEST_SECONDS:-3600}
clean_up() { kubectl --namespace "$namespace" delete cluster scratch --ignore-not-found --wait --timeout=300s; }
trap clean_up EXIT
clean_up
kubectl apply --filename "$(dirname "$0")/scratch.yaml"
kubectl --namespace "$namespace" wait cluster/scratch --for=condition=Ready --timeout=7200s
query() {
  kubectl --namespace "$namespace" exec scratch-1 --container postgres -- \
    psql -XqAt -v ON_ERROR_STOP=1 -d terroir -c "$1"
}
counts=$(query "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM devices), (SELECT count(*) FROM orders)")
age=$(query "SELECT extract(epoch FROM now() - max(ended_at))::bigint FROM status_spans")
[ -n "$age" ] || { echo "No server has ever written to it: this is not the service's database." >&2 && exit 1; }
echo "Restored users|devices|orders: $counts; a server wrote $age seconds ago."
[ "$age" -le "$oldest_seconds" ] || { echo "That is older than $oldest_seconds seconds: WAL is missing." >&2 && exit 1; }
