#!/usr/bin/env bash
# Films by ratings: tuned, evaluated twice, in the mix of genres that each viewer likes; then films like one film.
set -euo pipefail
cd "$(dirname "$0")"
. ../show.sh

show kith run request.json --tables --seed 6
mv "$RECOMMENDATION_MODEL_CACHE"/*.kith "$RECOMMENDATION_MODEL_CACHE/films.kith"
show kith similar --model-file "$RECOMMENDATION_MODEL_CACHE/films.kith" --item 'seven samurai' --number 5
