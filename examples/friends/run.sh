#!/usr/bin/env bash
# A town's network: whom you may know, counted in three ways.
set -euo pipefail
cd "$(dirname "$0")"
. ../show.sh

show kith run request.json --tables
changed 's/adamic_adar/common_neighbors/' run - --tables
changed 's/adamic_adar/personalized_pagerank/' run - --tables
