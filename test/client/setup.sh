#!/bin/sh
# setup.sh -- make the folder in which a TypeScript client is generated and checked, for test_client.py
#
# usage: test/client/setup.sh
#
# Makes ${BUILD:-build}/client out of package.json: the generator (openapi-typescript), the compiler, and the libraries of
# the flow.  Without node on the machine Debian's is installed.  A second call does nothing while that package.json is the
# one installed.
# Exit codes: 0 ready (or no network: a line says so), 1 failed.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
dir=${BUILD:-${here%/test/client}/build}/client
unreachable='ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH'

command -v npm >/dev/null || "${here%/test/client}/scripts/setup" client
if cmp -s "$dir/installed.json" "$here/package.json"; then exit 0; fi
mkdir -p "$dir"
cp "$here/package.json" "$dir/"
echo "setup.sh: installing the generator of clients into $dir" >&2
if ! (cd "$dir" && npm install --no-audit --no-fund --no-package-lock --fetch-retries 1 >install.log 2>&1); then
    if grep -qE "$unreachable" "$dir/install.log"; then
        echo "setup.sh: no network: the package registry cannot be reached, so there is no client to test with" >&2
        exit 0
    fi
    tail -n 5 "$dir/install.log" >&2
    exit 1
fi
cp "$here/package.json" "$dir/installed.json"
