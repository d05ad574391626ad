#!/bin/sh
# run.sh HOME HTTP-PORT TRANSPORT-PORT -- Elasticsearch 2 on the loopback, until it is killed
cd "$(dirname "$0")/elasticsearch-2.4.6"
mkdir -p "$1/config"
exec java -Xmx512m -cp 'lib/*' -Des.path.home="$1" -Des.insecure.allow.root=true -Des.network.host=127.0.0.1 -Des.http.port="$2" \
    -Des.transport.tcp.port="$3" org.elasticsearch.bootstrap.Elasticsearch start
