#!/bin/sh
# setup.sh -- fetch a real search server, for test_elasticsearch.py
#
# usage: test/elasticsearch/setup.sh 2|opensearch
#
# Makes ${BUILD:-build}/elasticsearch-2 (Elasticsearch 2.4, the oldest whose protocol kith speaks: 27 MB) or
# elasticsearch-opensearch (OpenSearch 2.19: 53 MB) out of 2.xml or opensearch.xml, with Maven; run.sh in it starts the
# server.  Without Maven or Java on the machine Debian's are installed.  A second call does nothing while that file is
# the one installed.
# Exit codes: 0 ready (or no network: a line says so), 1 failed, 2 wrong usage.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
wanted=$here/${1:-}.xml
[ -f "$wanted" ] || { echo "usage: test/elasticsearch/setup.sh 2|opensearch" >&2; exit 2; }
dir=${BUILD:-${here%/test/elasticsearch}/build}/elasticsearch-$1
unreachable='Unknown host|UnknownHostException|Connection refused|Connect timed out|Connection timed out|Network is unreachable|No route to host'

if cmp -s "$dir/installed.xml" "$wanted" && [ -x "$dir/run.sh" ]; then exit 0; fi
{ command -v mvn && command -v javac; } >/dev/null || "${here%/test/elasticsearch}/scripts/setup" java
rm -rf "$dir"
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
echo "setup.sh: fetching a search server by $(basename "$wanted") into $dir" >&2
if ! mvn -B -q -f "$wanted" -Dhere="$dir" process-resources >"$dir/install.log" 2>&1; then
    if grep -qE "$unreachable" "$dir/install.log"; then
        echo "setup.sh: no network: the Maven repository cannot be reached, so there is no search server to test with" >&2
        exit 0
    fi
    grep ERROR "$dir/install.log" | head -n 5 >&2
    exit 1
fi
cp "$here/run-$1.sh" "$dir/run.sh"
[ "$1" = 2 ] || cp "$here/Server.java" "$dir/"
cp "$wanted" "$dir/installed.xml"
