#!/bin/sh
# Runs the program of this folder with the LibTorch of this machine.
#   REELYARD_TORCH   the folder torch/ of a wheel torch==2.11.0; without it, that of the python3 on the path
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)

if [ "${OMPI_COMM_WORLD_SIZE:-${PMI_SIZE:-1}}" -gt 1 ]; then
    echo "reelyard: this folder runs as one rank (found ${OMPI_COMM_WORLD_SIZE:-$PMI_SIZE}); build the program for more" >&2
    exit 2
fi

torch=${REELYARD_TORCH:-}
if [ -z "$torch" ]; then
    torch=$(python3 -c 'import importlib.util as u; print(u.find_spec("torch").submodule_search_locations[0])' 2> /dev/null)
fi
if [ ! -e "$torch/lib/libtorch_cpu.so" ]; then
    echo "reelyard: no LibTorch in '$torch' (expected the folder torch/ of torch==2.11.0); set REELYARD_TORCH, or install it for" \
        "the python3 on the path" >&2
    exit 2
fi

libraries=$here/lib:$torch/lib
for folder in "$torch"/../nvidia/*/lib; do
    libraries=$libraries:$folder
done
export LD_LIBRARY_PATH="$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"

export REELYARD_FONT="${REELYARD_FONT:-$here/lib/DejaVuSans.ttf}"

# Open MPI: its parts are here, nobody else starts ranks, and settings of an installed one are not meant for this one.
export OPAL_PREFIX="$here"
export OMPI_MCA_mca_base_component_path="$here/openmpi"
export OMPI_MCA_mca_base_param_files=none
export OMPI_MCA_ess_singleton_isolated=1
export HWLOC_PLUGINS_PATH="$here/openmpi/none"

exec "$here/bin/reelyard" "$@"
