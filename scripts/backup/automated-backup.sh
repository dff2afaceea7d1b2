#!/usr/bin/env bash
# The backup as a timer or another program calls it: scripts/backup/run, under the name that is looked for.
# usage: automated-backup.sh [ARGUMENT OF scripts/backup/run...]
set -Eeuo pipefail
exec "$(dirname "$(readlink -f "$0")")/run" "$@"
