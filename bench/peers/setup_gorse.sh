#!/bin/sh
# setup_gorse.sh -- build Gorse from its Go module, for bench/gorse.py
#
# usage: bench/peers/setup_gorse.sh
#
# Makes ${KITH_PEERS:-build/peers}-gorse/gorse-in-one and built.txt, which says what it was built from; some 10 minutes of two
# cores and 3 GB, once.  Needs go (GO=path) and a C compiler.  Three of its modules are replaced when the module proxy does
# not serve them: its web pages by an empty one (gorse/dashboard), its forks of two database drivers by the drivers that
# they are forks of.
# Exit codes: 0 ready, 1 failed, 2 no go, 3 no network.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=${KITH_PEERS:-${here%/bench/peers}/build/peers}-gorse
version=$(sed -n 's/.*gorse-io\/gorse v/v/p' "$here/gorse/go.mod")
PATH=$PATH:/usr/local/go/bin
go=${GO:-go}
export GOPATH="$folder/go" GOCACHE="$folder/cache" GOFLAGS="-mod=mod -modcacherw"

say() { echo "setup_gorse.sh: $*" >&2; }

if [ -x "$folder/gorse-in-one" ] && cmp -s "$here/gorse/go.mod" "$folder/asked.mod"; then exit 0; fi
command -v "$go" >/dev/null || { say "no go here: install Go 1.26 or later, or say GO=path"; exit 2; }
rm -rf "$folder/build"
mkdir -p "$folder"
cp -r "$here/gorse" "$folder/build"
cd "$folder/build"

serves() { "$go" mod download "$1" >/dev/null 2>&1; }

serves "github.com/gorse-io/gorse@$version" || { say "the Go module proxy does not serve Gorse $version, or cannot be reached"; exit 3; }
echo "Gorse $version, $("$go" version | cut -d' ' -f3)" > "$folder/built.txt"
mods=$folder/go/pkg/mod/github.com/gorse-io/gorse@$version/go.mod
sed -n 's/^[[:space:]]*\(gorm.io[^ ]*\) \([^ ]*\) => \([^ ]*\) \(.*\)/\1 \2 \3 \4/p' "$mods" | while read -r name at fork fork_at; do
    if serves "$fork@$fork_at"; then
        "$go" mod edit -replace="$name@$at=$fork@$fork_at"
    else
        echo "$name instead of $fork, which the module proxy does not serve" >> "$folder/built.txt"
    fi
done
if serves "github.com/gorse-io/dashboard@$(sed -n 's/.*dashboard //p' go.mod)"; then
    rm -r dashboard
else
    "$go" mod edit -replace=github.com/gorse-io/dashboard=./dashboard
    echo "no dashboard, which the module proxy does not serve" >> "$folder/built.txt"
fi
say "building Gorse $version into $folder (some minutes)"
if ! nice -n "${NICE:-10}" "$go" build -p 2 -o "$folder/gorse-in-one" github.com/gorse-io/gorse/cmd/gorse-in-one >"$folder/build.log" 2>&1; then
    tail -n 5 "$folder/build.log" >&2
    say "Gorse could not be built: the whole log is in $folder/build.log"
    exit 1
fi
cp "$here/gorse/go.mod" "$folder/asked.mod"
