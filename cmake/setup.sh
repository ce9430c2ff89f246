#!/usr/bin/env bash
# Makes a machine ready and builds the program; does only what is missing, so that a second run takes seconds.
#
# usage: cmake/setup.sh [--preset NAME] [--target NAME]... [--tests] [--no-build]
#   --preset NAME   build this preset of CMakePresets.json (default: cuda where a CUDA toolkit is found, otherwise release)
#   --target NAME   build only this target; may be repeated
#   --tests         also install the Python packages that only tests use (tests/requirements.txt)
#   --no-build      stop before configuring
#
# Environment:
#   Torch_DIR, CMAKE_PREFIX_PATH   an own LibTorch; without them the wheel is installed into build/venv
#   REELYARD_VENV                  another place for that virtual environment
#   REELYARD_SKIP_PACKAGES=1       do not look at system packages (modules or Spack provide them)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

preset='' build=true tests=false targets=()
venv=${REELYARD_VENV:-$PWD/build/venv}

say() { printf '== %s\n' "$*"; }
die() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

while [ $# -gt 0 ]; do
    case $1 in
        --preset) preset=${2:?--preset needs a name} && shift ;;
        --target) targets+=("${2:?--target needs a name}") && shift ;;
        --tests) tests=true ;;
        --no-build) build=false ;;
        *) die "unknown option '$1' (see the top of cmake/setup.sh)" ;;
    esac
    shift
done

find_nvcc() {
    local candidate
    for candidate in "$(command -v nvcc || true)" "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc"; do
        [ -x "$candidate" ] && return 0
    done
    return 1
}

# --- system packages -------------------------------------------------------------------------------------------------------------
missing_packages() {
    local installed package
    installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p')
    grep -v -E '^(#|$)' cmake/packages.txt | while IFS= read -r package; do
        grep -q -x -F -- "$package" <<< "$installed" || echo "$package"
    done
}

install_packages() {
    local missing
    mapfile -t missing < <(missing_packages)
    [ ${#missing[@]} -gt 0 ] || return 0
    local command="apt-get install -y --no-install-recommends ${missing[*]}"
    [ "$(id -u)" -eq 0 ] || die "packages are missing; run this once, then start again:
  sudo $command"
    say "installing ${#missing[@]} system packages"
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive $command
}

if [ "${REELYARD_SKIP_PACKAGES:-0}" != 1 ]; then
    if command -v dpkg-query > /dev/null; then
        install_packages
    else
        say "no dpkg here: system packages are taken as they are"
    fi
fi

# --- LibTorch and Python packages --------------------------------------------------------------------------------------------------
# As cmake/FindReelyardTorch.cmake looks for it; Spack and modules also set CMAKE_PREFIX_PATH, for other things.
has_own_torch() {
    [ -z "${Torch_DIR:-}" ] || return 0
    local prefix header prefixes=${CMAKE_PREFIX_PATH:-}
    for prefix in ${prefixes//[:;]/ }; do
        for header in "$prefix"/include/ATen/ATen.h "$prefix"/lib/python3*/site-packages/torch/include/ATen/ATen.h; do
            [ ! -e "$header" ] || return 0
        done
    done
    return 1
}

# install_python NAME REQUIREMENTS_FILE: once; a checksum of the file remembers what was installed.
install_python() {
    local stamp
    stamp=$venv/.reelyard-$1-$(sha256sum < "$2" | cut -c 1-16)
    [ -e "$stamp" ] && return 0
    say "installing $1 into $venv"
    [ -x "$venv/bin/python3" ] || python3 -m venv "$venv"
    "$venv/bin/python3" -m pip install --quiet --disable-pip-version-check -r "$2" || return 1
    touch "$stamp"
}

if ! has_own_torch; then
    install_python LibTorch cmake/requirements.txt || die "LibTorch could not be installed; name an own one with
  Torch_DIR=DIR/share/cmake/Torch (DIR: the folder torch/ of a wheel, or an unpacked LibTorch archive)"
fi
if $tests; then
    install_python test-packages tests/requirements.txt ||
        say "the Python packages for tests could not be installed: comparisons that need them are left out"
fi
$build || exit 0

# --- configure and build -----------------------------------------------------------------------------------------------------------
if [ -z "$preset" ]; then
    preset=release
    if find_nvcc; then
        preset=cuda
    fi
fi
log=build/$preset/configure.log
mkdir -p "build/$preset"
say "configuring build/$preset"
cmake --preset "$preset" -DREELYARD_VENV="$venv" ${Torch_DIR:+-DTorch_DIR="$Torch_DIR"} > "$log" 2>&1 || {
    cat "$log" >&2
    die "configuring the preset '$preset' failed"
}
say "building build/$preset"
cmake --build "build/$preset" ${targets[@]+--target "${targets[@]}"}
