#!/usr/bin/env bash
# An outdoor shop: one call, lists with reasons, figures, and why two articles are missing.
set -euo pipefail
cd "$(dirname "$0")"
. ../show.sh

show kith run request.json --tables
show kith run tent.json --tables
