#!/usr/bin/env bash
# Runs scripts/backup/run under the name that a timer or another program may look for.
# usage: automated-backup.sh [ARGUMENT OF scripts/backup/run...]
set -Eeuo pipefail
exec "$(dirname "$(readlink -f "$0")")/run" "$@"
