#!/bin/sh
# setup.sh -- make the Python environment of a real MLflow server, for test_mlflow.py
#
# usage: test/mlflow/setup.sh 2|3
#
# Makes ${BUILD:-build}/mlflow-2 or -3 out of requirements-2.txt or -3.txt: MLflow's own server without the libraries of
# its models.  A second call does nothing while that file is the one installed.
# Exit codes: 0 ready (or no network: a line says so), 1 failed, 2 wrong usage.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
wanted=$here/requirements-${1:-}.txt
[ -f "$wanted" ] || { echo "usage: test/mlflow/setup.sh 2|3" >&2; exit 2; }
dir=${BUILD:-${here%/test/mlflow}/build}/mlflow-$1
unreachable='NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|Network is unreachable|ProxyError'
export PIP_DISABLE_PIP_VERSION_CHECK=1

if cmp -s "$dir/installed.txt" "$wanted" && [ -x "$dir/bin/mlflow" ]; then exit 0; fi
python3 -m venv --clear "$dir" >/dev/null 2>&1 ||
    { echo "setup.sh: 'python3 -m venv' does not work here: install python3-venv" >&2; exit 1; }
echo "setup.sh: installing $(basename "$wanted") into $dir" >&2
if ! "$dir/bin/python" -m pip install --quiet --prefer-binary --retries 1 --timeout 30 -r "$wanted" >"$dir/install.log" 2>&1; then
    if grep -qE "$unreachable" "$dir/install.log"; then
        echo "setup.sh: no network: the package index cannot be reached, so there is no MLflow server to test with" >&2
        exit 0
    fi
    tail -n 5 "$dir/install.log" >&2
    exit 1
fi
cp "$wanted" "$dir/installed.txt"
