#!/bin/sh
# run.sh HOME HTTP-PORT TRANSPORT-PORT -- OpenSearch on the loopback, until it is killed
cd "$(dirname "$0")"
exec java -Xmx512m -cp 'lib/*' Server.java "$1" "$2" "$3"
