#!/usr/bin/env bash
# The bundle is small enough, makes a video in an empty environment, and loads nothing but itself, LibTorch and the C library.
# usage: REELYARD_TORCH=DIR bundle_test.sh BUILD_FOLDER
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
    echo "bundle: $*"
    exit 1
}

REELYARD_BUILD=$1 "$root/cmake/bundle.sh" "$work/made"
# Moved, so that nothing in it may lean on the place where it was made.
mv "$work/made" "$work/bundle"
size=$(du -s --apparent-size --block-size=1 "$work/bundle" | cut -f1)
[ "$size" -lt $((60 * 1048576)) ] || fail "$size bytes (expected less than 60 MiB)"

cd "$work"
bundle() { env -i PATH=/usr/bin:/bin REELYARD_TORCH="$REELYARD_TORCH" OMP_NUM_THREADS=2 "$@"; }
bundle bundle/reelyard import "$root/jobs/demo/wan-shapes" -o demo.h5
echo '{"id": "one", "prompt": "a large red circle moving left on a black background"}' > prompts.jsonl
bundle LD_DEBUG=files LD_DEBUG_OUTPUT="$work/loaded" bundle/reelyard run "$root/jobs/demo.ini" \
    --model.store demo.h5 --prompts.file "$work/prompts.jsonl" --generate.steps 2 --output.dir out
[ "$(head -c 8 out/videos/one.mp4 | tail -c 4)" = ftyp ] || fail "out/videos/one.mp4 is no MP4 file"

site=$(cd "$REELYARD_TORCH/.." && pwd)
strangers=$(cat loaded.* | grep -a 'calling init: ' | sed 's/.*calling init: //' | sort -u |
    grep -v -E "^($work/bundle|$site)/" |
    grep -v -E '/(ld-linux-x86-64|lib(c|m|dl|rt|util|pthread|resolv|nss_[a-z]+))\.so\.[0-9]+$' || true)
[ -z "$strangers" ] || fail "libraries from outside were loaded:
$strangers"

if bundle REELYARD_TORCH=/nowhere bundle/reelyard --version 2> refusal; then
    fail "a wrong REELYARD_TORCH was accepted"
fi
grep -q "no LibTorch in '/nowhere'" refusal || fail "the refusal does not name the folder: $(cat refusal)"
