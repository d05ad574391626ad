#!/bin/sh
# setup.sh -- make the Python environment of schemathesis, for test_schemathesis.py
#
# usage: test/schemathesis/setup.sh
#
# Makes ${BUILD:-build}/schemathesis out of requirements.txt.  A second call does nothing while that file is the one installed.
# Exit codes: 0 ready (or no network: a line says so), 1 failed.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
wanted=$here/requirements.txt
dir=${BUILD:-${here%/test/schemathesis}/build}/schemathesis
unreachable='NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|Network is unreachable|ProxyError'
export PIP_DISABLE_PIP_VERSION_CHECK=1

if cmp -s "$dir/installed.txt" "$wanted" && [ -x "$dir/bin/schemathesis" ]; then exit 0; fi
python3 -m venv --clear "$dir" >/dev/null 2>&1 ||
    { echo "setup.sh: 'python3 -m venv' does not work here: install python3-venv" >&2; exit 1; }
echo "setup.sh: installing schemathesis into $dir" >&2
if ! "$dir/bin/python" -m pip install --quiet --prefer-binary --retries 1 --timeout 30 -r "$wanted" >"$dir/install.log" 2>&1; then
    if grep -qE "$unreachable" "$dir/install.log"; then
        echo "setup.sh: no network: the package index cannot be reached, so calls are not made up" >&2
        exit 0
    fi
    tail -n 5 "$dir/install.log" >&2
    exit 1
fi
cp "$wanted" "$dir/installed.txt"
