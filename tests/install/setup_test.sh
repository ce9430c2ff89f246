#!/usr/bin/env bash
# Set-up that lacks packages and may not install them prints the one command and stops.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A system without one of the packages, and a user who is not root.
mkdir "$work/bin"
printf '#!/bin/sh\n%s "$@" | grep -v -x "installed ninja-build"\n' "$(command -v dpkg-query)" > "$work/bin/dpkg-query"
printf '#!/bin/sh\n[ "$*" = -u ] && echo 1000 || %s "$@"\n' "$(command -v id)" > "$work/bin/id"
printf '#!/bin/sh\ntouch %s/apt-get-was-called\n' "$work" > "$work/bin/apt-get"
chmod +x "$work/bin/"*

status=0
PATH=$work/bin:$PATH "$root/cmake/setup.sh" --no-build > "$work/output" 2>&1 || status=$?
[ "$status" -eq 1 ] || { echo "exit status $status (expected 1)" && cat "$work/output" && exit 1; }
grep -q -x '  sudo apt-get install -y --no-install-recommends ninja-build' "$work/output" ||
    { echo "the command is not printed:" && cat "$work/output" && exit 1; }
[ ! -e "$work/apt-get-was-called" ] || { echo "apt-get was called without leave" && exit 1; }
