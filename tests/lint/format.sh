#!/usr/bin/env bash
# Exit status 1 when a C++ file is not as clang-format 14 would write it; --fix rewrites it.
# usage: tests/lint/format.sh [--fix] [FILE...]     (all C++ files when none is named)
set -u
cd "$(dirname "$0")/../.." || exit 2

mode=(--dry-run --Werror)
if [ "${1:-}" = --fix ]; then
    mode=(-i)
    shift
fi
clang_format=$(command -v clang-format-14 || command -v clang-format) || {
    echo "clang-format is not installed (expected version 14)" >&2
    exit 2
}
case $("$clang_format" --version) in
    *"version 14."*) ;;
    *)
        echo "$("$clang_format" --version): another version formats differently (expected 14)" >&2
        exit 2
        ;;
esac

if [ $# -gt 0 ]; then
    list() { printf '%s\n' "$@"; }
else
    list() { git ls-files --cached --others --exclude-standard -- include src tests perf; }
fi
list "$@" | grep -E '\.(hpp|cpp|cuh|cu)$' | xargs -r -n 40 -P "$(nproc)" "$clang_format" "${mode[@]}"
