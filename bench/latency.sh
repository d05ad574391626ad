#!/usr/bin/env bash
# Measure filters and filtered lists, and write down the figures with the machine that they were measured on.
#   bench/latency.sh [FOLDER]     default bench/results
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build}
out=${1:-bench/results}
ninja -C "$build" --quiet bench/filter bench/filtered >/dev/null
cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)
file=$out/$(date +%F)-latency.md
{
    echo "# Latency of filters, $(date +%F)"
    echo
    echo "$cpu, $(nproc) cores, $(uname -sr), kith $("$build"/kith version | sed -n "s/^version *//p"); load before $(cut -d' ' -f1 /proc/loadavg)."
    echo
    echo "## A filtered top-10 (bench/filtered.c)"
    echo
    "$build"/bench/filtered
    echo
    echo "## The filter alone over a million items (bench/filter.c)"
    echo
    echo '```'
    "$build"/bench/filter
    echo '```'
} | tee "$file.new"
mv "$file.new" "$file"
echo "wrote $file" >&2
