#!/usr/bin/env bash
# Makes the machine ready, builds the program, and makes twelve videos with the small trained model of jobs/demo on two ranks.
#
# usage: jobs/demo.sh [DIR]     the videos go to DIR (default: build/demo); a second start makes only what is missing
set -euo pipefail
out=${1:-}
[ -z "$out" ] || { mkdir -p "$out" && out=$(cd "$out" && pwd); }
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=${out:-$PWD/build/demo}

cmake/setup.sh --target reelyard
program=build/cuda/bin/reelyard
[ -x "$program" ] || program=build/release/bin/reelyard

mkdir -p "$out"
store=$out/wan-shapes.h5
if [ ! -e "$store" ]; then
    echo "== importing the demo model"
    "$program" import jobs/demo/wan-shapes -o "$store"
fi

# Two ranks, also where there are fewer cores; threads such that the two do not get into each other's way.
mpirun=(mpirun -n 2 --oversubscribe --bind-to none)
[ "$(id -u)" -ne 0 ] || mpirun+=(--allow-run-as-root)
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-$((($(nproc) + 1) / 2))}
echo "== making the videos"
"${mpirun[@]}" "$program" run jobs/demo.ini --model.store "$store" --output.dir "$out"

echo
echo "videos:         $out/videos"
echo "contact sheet:  $out/contact_sheet.png"
