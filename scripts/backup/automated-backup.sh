#!/usr/bin/env bash
# Runs scripts/backup/run, under a name that timers or other programs may expect.
# usage: automated-backup.sh [ARGUMENT OF scripts/backup/run...]
set -Eeuo pipefail
exec "$(dirname "$(readlink -f "$0")")/run" "$@"
