#!/usr/bin/env bash
# Runs clang-tidy 14 on the sources that changed, or on all.
# usage: tests/lint/tidy.sh BUILD_FOLDER [--all | --since COMMIT] [--limit SECONDS]
# Without --all and --since: what differs from origin/main, or what the last commit changed where there is no difference. After
# --limit seconds (default 300) no further file is begun; the files left out are named.
set -u
cd "$(dirname "$0")/../.." || exit 2

build=${1:?BUILD_FOLDER is missing}
shift
all=false since='' limit=300
while [ $# -gt 0 ]; do
    case $1 in
        --all) all=true ;;
        --since) since=$2 && shift ;;
        --limit) limit=$2 && shift ;;
        *) echo "tidy.sh: unknown option '$1'" >&2 && exit 2 ;;
    esac
    shift
done
clang_tidy=$(command -v clang-tidy-14 || command -v clang-tidy) || {
    echo "clang-tidy is not installed (expected version 14)" >&2
    exit 2
}
[ -f "$build/compile_commands.json" ] || { echo "$build/compile_commands.json: not found; configure first" >&2 && exit 2; }

changed() {
    if $all; then
        git ls-files -- src
    elif [ -n "$since" ]; then
        git diff --name-only --diff-filter=d "$since" -- src
    else
        local base
        base=$(git merge-base HEAD origin/main 2> /dev/null)
        if [ -z "$base" ] || git diff --quiet "$base" -- src; then
            base=$(git rev-parse --quiet --verify HEAD~1)
        fi
        git diff --name-only --diff-filter=d ${base:+"$base"} -- src
    fi
}

# clang does not read GCC's precompiled header, nor the option that belongs to it; the header itself is included in its place.
database=$(mktemp -d)
trap 'rm -rf "$database"' EXIT
sed -E 's/ -Winvalid-pch -include [^ ]*cmake_pch\.hxx//g; s/ -fopenmp//g' "$build/compile_commands.json" > "$database/compile_commands.json"

# Only what this build compiles: CUDA sources and stand-ins come and go with the preset.
sources=$(changed | grep -E '\.cpp$' | while IFS= read -r file; do
    grep -q -F "/$file\"" "$database/compile_commands.json" && printf '%s\n' "$file"
done)
[ -n "$sources" ] || { echo "clang-tidy: no changed sources" && exit 0; }
echo "clang-tidy: $(printf '%s\n' "$sources" | wc -l) files"

check_one() {
    if [ "$SECONDS_AT_END" -le "$(date +%s)" ]; then
        echo "clang-tidy: out of time, left out $1"
    else
        "$CLANG_TIDY" --quiet -p "$DATABASE" --extra-arg-before=-include --extra-arg-before="$SHIM" "$1" 2> /dev/null
    fi
}
export -f check_one
SECONDS_AT_END=$(($(date +%s) + limit)) CLANG_TIDY=$clang_tidy DATABASE=$database SHIM=$PWD/tests/lint/clang14_source_location.hpp
export SECONDS_AT_END CLANG_TIDY DATABASE SHIM
printf '%s\n' "$sources" | xargs -n 1 -P "$(nproc)" bash -c 'check_one "$1"' _
