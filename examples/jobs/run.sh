#!/usr/bin/env bash
# Vacancies for somebody who has only said what she looks for; then the same with a demand that nothing meets.
set -euo pipefail
cd "$(dirname "$0")"
. ../show.sh

show kith run request.json --tables
changed 's/"least": 27000/"least": 48000/' run - --tables
