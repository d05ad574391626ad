# show.sh -- sourced by every run.sh: which kith to use, and how its calls are shown
#
# $KITH, else the one that was built here, else the one that is installed.  Models are kept in a folder that goes away.

kith=${KITH:-}
[ -n "$kith" ] || { [ ! -x ../../build/kith ] || kith=../../build/kith; }
[ -n "$kith" ] || kith=$(command -v kith) || { echo "there is no kith: make, or set KITH to the program" >&2; exit 1; }

RECOMMENDATION_MODEL_CACHE=$(mktemp -d)
export RECOMMENDATION_MODEL_CACHE
trap 'rm -rf "$RECOMMENDATION_MODEL_CACHE"' EXIT

# show kith WORD...: print the call as it can be copied, then make it.
show() {
    local word
    printf '$ kith'
    shift
    for word in "$@"; do
        case $word in
        "$RECOMMENDATION_MODEL_CACHE"/*) printf ' %s' "${word##*/}" ;;
        *[\ \"\$\(]*) printf " '%s'" "$word" ;;
        *) printf ' %s' "$word" ;;
        esac
    done
    echo
    "$kith" "$@"
    echo
}

# changed SED-EXPRESSION WORD...: the same for request.json with something changed.
changed() {
    local how=$1
    shift
    printf "$ sed '%s' request.json | kith %s\n" "$how" "$*"
    sed "$how" request.json | "$kith" "$@"
    echo
}
