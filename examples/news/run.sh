#!/usr/bin/env bash
# This morning's paper for two readers.
set -euo pipefail
cd "$(dirname "$0")"
. ../show.sh

show kith run request.json --tables
