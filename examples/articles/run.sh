#!/usr/bin/env bash
# A magazine in four languages: by words alone, then words and readers together.
set -euo pipefail
cd "$(dirname "$0")"
. ../show.sh

show kith run request.json --tables
changed 's/"farid", "newcomer"/"luc"/; s/"en"/"de"/; s/"similar_items"/"language": "de", "similar_items"/' run - --tables
show kith run hybrid.json --tables
