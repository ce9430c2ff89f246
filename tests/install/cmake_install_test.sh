#!/usr/bin/env bash
# An installed program runs, and another project can use the installed modules.
# usage: cmake_install_test.sh BUILD_FOLDER CMAKE
set -euo pipefail
build=$1 cmake=$2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$cmake" --install "$build" --prefix "$work/prefix" > "$work/log" || { cat "$work/log" && exit 1; }

version=$(env -i "$work/prefix/bin/reelyard" --version)
grep -q '^reelyard [0-9]' <<< "$version" || { echo "unexpected: $version" && exit 1; }
[ -s "$work/prefix/share/doc/reelyard/README.md" ] || { echo "README.md is not installed" && exit 1; }

"$cmake" -S "$here/consumer" -B "$work/consumer" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" > "$work/log" 2>&1 &&
    "$cmake" --build "$work/consumer" >> "$work/log" 2>&1 || { cat "$work/log" && exit 1; }
output=$("$work/consumer/consumer")
[ "$output" = $'2.00 KiB\nLibTorch' ] || { echo "unexpected: $output" && exit 1; }
