#!/bin/sh
# setup.sh -- make the Python environments of the peers that kith races against
#
# usage: bench/peers/setup.sh [lenskit]
#
# Makes ${KITH_PEERS:-build/peers}, and with `lenskit` also ${KITH_PEERS}-lenskit (about 6 GB).
# A second call does nothing while the requirements file is the one installed.
# Exit codes: 0 ready, 1 failed, 2 wrong usage, 3 no network.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
peers=${KITH_PEERS:-${here%/bench/peers}/build/peers}
python=${PYTHON:-python3}
unreachable='NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|Network is unreachable|ProxyError'
export PIP_DISABLE_PIP_VERSION_CHECK=1

say() { echo "setup.sh: $*" >&2; }

# ready DIR FILE: true when FILE is exactly what was installed into DIR.
ready() { cmp -s "$1/installed.txt" "$2" && [ -x "$1/bin/python" ]; }

install() {
    dir=$1 wanted=$2
    if ready "$dir" "$wanted"; then return 0; fi
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        { say "$python is older than 3.11: set PYTHON to a newer one"; exit 1; }
    if ! "$dir/bin/python" -m pip --version >/dev/null 2>&1; then
        mkdir -p "$(dirname "$dir")"
        "$python" -m venv --clear "$dir" >/dev/null 2>&1 ||
            { say "'$python -m venv' does not work here: install python3-venv"; exit 1; }
    fi
    log=$dir/install.log
    say "installing $(basename "$wanted") into $dir"
    if ! "$dir/bin/python" -m pip install --quiet --prefer-binary --retries 1 --timeout 30 \
            -r "$wanted" >"$log" 2>&1; then
        if grep -qE "$unreachable" "$log"; then
            say "no network: the package index cannot be reached, so the peers were not installed"
            exit 3
        fi
        tail -n 5 "$log" >&2
        say "pip could not install the peers: the whole log is in $log"
        exit 1
    fi
    cp "$wanted" "$dir/installed.txt"
}

case "${1:-}" in
"") ;;
lenskit) ;;
*) say "unknown argument '$1': the only one is 'lenskit'"; exit 2 ;;
esac
install "$peers" "$here/requirements.txt"
if [ "${1:-}" = lenskit ]; then install "$peers-lenskit" "$here/requirements-lenskit.txt"; fi
