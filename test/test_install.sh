#!/usr/bin/env bash
# Install into a folder of its own, build the C example against what was installed, run it, and look at what it saved.
#   test_install.sh BUILD SOURCE [SANITIZERS]
set -uo pipefail
build=$1 source=$2 sanitize=${3:-none}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
flags=()
[ "$sanitize" = none ] || flags=("-fsanitize=$sanitize")
passed=0 failed=0

# check WHAT COMMAND...: one test
check() {
    local what=$1
    shift
    if "$@" >"$folder/log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "not so: $what"
        cat "$folder/log"
    fi
}

install_all() { meson install -C "$build" --no-rebuild --quiet --destdir "$folder/root"; }

build_example() {
    local pc library
    pc=$(find "$folder/root" -name kith.pc) && library=$(dirname "$(dirname "$pc")")
    export PKG_CONFIG_PATH=$(dirname "$pc") PKG_CONFIG_SYSROOT_DIR=$folder/root LD_LIBRARY_PATH=$library
    # shellcheck disable=SC2046
    ${CC:-cc} -std=c11 -Wall -Wextra -Werror "${flags[@]}" "$source/examples/c/recommend.c" \
        $(pkg-config --cflags --libs kith) -o "$folder/recommend"
}

run_example() {
    LD_LIBRARY_PATH=$(dirname "$(find "$folder/root" -name libkith.so)") "$folder/recommend" "$folder/films.kith" |
        tee "$folder/out" && [ "$(head -n 1 "$folder/out")" = "Alien: rated by 2 people" ]
}

header_stands_alone_in_cpp() {
    command -v c++ >/dev/null || return 0
    echo '#include <kith.h>' | c++ -Wall -Werror -x c++ -fsyntax-only -I"$source/include" -
}

# What the shared library defines beyond kith_ names, apart from symbols of sanitizers.
exports_are_public() {
    local library
    library=$(find "$folder/root" -name 'libkith.so.*' -type f)
    [ "$(nm -D --defined-only "$library" | grep -c ' kith_recommend$')" = 1 ] || return 1
    ! nm -D --defined-only "$library" | awk '{ print $3 }' | grep -vE '^(kith_|__(asan|ubsan|tsan|odr_asan)|_(init|fini)$)'
}

check "everything is installed" install_all
check "the example builds against the installed library" build_example
check "the example runs" run_example
check "the header is C++ too" header_stands_alone_in_cpp
check "only kith_ names are exported" exports_are_public
check "the saved model is a sound safetensors file" python3 "$source/test/check_safetensors.py" "$folder/films.kith"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
