#!/usr/bin/env bash
# Makes the machine ready and runs every check: format, house rules, the builds for the CPU and (where a CUDA toolkit is found) for
# CUDA, headers that stand alone, clang-tidy on what changed, and all tests. Exit status 0 only when all of it passes.
#
# usage: tests/run.sh [--tidy changed|all|none] [--asan] [-R REGEX]
#   --tidy    sources for clang-tidy (default: changed)
#   --asan    also build with sanitizers and run the tests that do not need LibTorch
#   -R REGEX  run only the tests whose name matches
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tidy=changed asan=false filter=()
while [ $# -gt 0 ]; do
    case $1 in
        --tidy) tidy=${2:?--tidy needs changed, all or none} && shift ;;
        --asan) asan=true ;;
        -R) filter=(-R "${2:?-R needs a pattern}") && shift ;;
        *) echo "run.sh: unknown option '$1' (see its top)" >&2 && exit 2 ;;
    esac
    shift
done

failed=()
# step NAME COMMAND...: runs it, says how long it took, and remembers a failure without stopping there.
step() {
    local name=$1 begun=$SECONDS result=passed
    shift
    printf '\n=== %s\n' "$name"
    "$@" || {
        result=FAILED
        failed+=("$name")
    }
    printf '=== %s: %s after %d s\n' "$name" "$result" $((SECONDS - begun))
}

has_cuda() { command -v nvcc > /dev/null || [ -x "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc" ]; }

test_cuda_build() {
    cmake/setup.sh --preset cuda --target reelyard --target reelyard_cuda_tests &&
        ctest --test-dir build/cuda --output-on-failure --no-tests=error -j "$(nproc)" -L cuda
}

test_with_sanitizers() {
    cmake/setup.sh --preset asan --target reelyard_torch_free_tests &&
        ctest --test-dir build/asan --output-on-failure --no-tests=error -j "$(nproc)" -L torch_free
}

cmake/setup.sh --tests --no-build
step format tests/lint/format.sh
step "house rules" tests/lint/house_rules.sh
step "build for the CPU" cmake/setup.sh --preset release --target all --target all_verify_interface_header_sets
case $tidy in
    changed) step clang-tidy tests/lint/tidy.sh build/release ;;
    all) step clang-tidy tests/lint/tidy.sh build/release --all --limit 7200 ;;
    none) ;;
esac
if has_cuda; then
    step "build for CUDA" test_cuda_build
else
    printf '\n=== build for CUDA: left out, no CUDA toolkit found\n'
fi
if $asan; then
    step sanitizers test_with_sanitizers
fi
step tests ctest --test-dir build/release --output-on-failure --no-tests=error -j "$(nproc)" "${filter[@]}"

printf '\n'
if [ ${#failed[@]} -gt 0 ]; then
    printf 'FAILED: %s\n' "${failed[@]}"
    exit 1
fi
echo "all checks passed"
