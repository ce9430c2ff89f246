#!/usr/bin/env bash
# Makes a relocatable folder with the program and every library it needs except LibTorch, CUDA and the C library. It runs on a Linux
# machine that has torch==2.11.0 for Python (and, for a CUDA build, a GPU driver), as one rank, also where no MPI is installed.
#
# usage: cmake/bundle.sh DIR [--preset NAME]     (the preset that cmake/setup.sh would choose, when none is named)
#
# The distribution's FFmpeg and HDF5 are linked with some 150 MiB of libraries for formats and protocols that this program never
# opens. Those are replaced by stand-ins: libraries of the same name and symbols, whose functions say what was called and stop. Only
# what FFmpeg asks of everything that it knows, before it uses one, is answered: encoders have no capabilities, and files that are
# opened have none of these formats.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() {
    printf 'bundle: %s\n' "$*" >&2
    exit 1
}

[ $# -ge 1 ] || die "a folder is missing (see the top of cmake/bundle.sh)"
mkdir -p "$(dirname "$1")"
target=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
shift
[ ! -e "$target" ] || [ -z "$(ls -A "$target")" ] || die "$target: is not empty (expected a new or empty folder)"
preset=''
if [ "${1:-}" = --preset ]; then
    preset=${2:?--preset needs a name}
elif [ -x build/cuda/bin/reelyard ]; then
    preset=cuda
elif [ -x build/release/bin/reelyard ]; then
    preset=release
fi
build=${REELYARD_BUILD:-build/${preset:-release}}
if [ -z "${REELYARD_BUILD:-}" ]; then
    cmake/setup.sh ${preset:+--preset "$preset"} --target reelyard
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --prefix "$work/install" --component program --strip > /dev/null
mkdir -p "$target/bin" "$target/lib" "$target/openmpi"
cp -r "$work/install/." "$target/"
patchelf --remove-rpath "$target/bin/reelyard"
# For the contact sheet, where the machine has no font.
cp /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf "$target/lib/"

# --- which libraries ---------------------------------------------------------------------------------------------------------------
# On every machine of the target: the C library, and what LibTorch's wheel brings or the driver.
is_foreign() {
    case $1 in
        ld-linux* | libc.so.* | libm.so.* | libpthread.so.* | libdl.so.* | librt.so.* | libutil.so.* | libresolv.so.*) return 0 ;;
        libtorch* | libc10* | libgomp.so.* | libcuda.so.* | libcudart.so.* | libnccl.so.*) return 0 ;;
    esac
    return 1
}

# Libraries that are kept although their user is one of those whose other needs get stand-ins.
is_kept() {
    case $1 in
        libav*.so.* | libsw*.so.* | libx264.so.* | libz.so.* | libsz.so.* | libaec.so.* | libmpi.so.*) return 0 ;;
    esac
    return 1
}

gets_stand_ins() {
    case $1 in
        libav*.so.* | libsw*.so.* | libhdf5*.so.*) return 0 ;;
    esac
    return 1
}

needs() { readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }

declare -A path_of=() wanted_stand_in=()
# "name path" of every library that the program gets here, then of those that the system knows.
known=$(ldd "$build/bin/reelyard" | sed -n 's/^\t\(.*\) => \(\/.*\) (0x.*/\1 \2/p')
known+=$'\n'$(ldconfig -p | awk '/x86-64/ { print $1, $NF }')
locate() { awk -v name="$1" '$1 == name { print $2; exit }' <<< "$known"; }

# collect FILE: all libraries below FILE, depth first.
collect() {
    local name path
    for name in $(needs "$1"); do
        if is_foreign "$name" || [ -n "${path_of[$name]:-}" ]; then
            continue
        fi
        if gets_stand_ins "$(basename "$1")" && ! is_kept "$name"; then
            wanted_stand_in[$name]=1
            continue
        fi
        path=$(locate "$name")
        [ -n "$path" ] || die "$name, needed by $1: not found"
        path_of[$name]=$path
        collect "$path"
    done
}
collect "$target/bin/reelyard"

# Open MPI loads the rest by name. For one rank that is all but what drives networks, launchers and OpenSHMEM.
if [ -n "${path_of[libmpi.so.40]:-}" ]; then
    plugins=$(ompi_info --parsable --path pkglibdir | sed 's/^path:pkglibdir://')
    for plugin in "$plugins"/mca_*.so; do
        case $(basename "$plugin" .so) in
            mca_*_ucx | mca_*_ofi | mca_*_psm* | mca_*_openib | mca_*_monitoring | mca_pmix_ext* | mca_pmix_flux) continue ;;
            mca_atomic_* | mca_memheap_* | mca_scoll_* | mca_spml_* | mca_sshmem_* | mca_reachable_netlink) continue ;;
            mca_plm_* | mca_ras_* | mca_rmaps_* | mca_odls_* | mca_iof_* | mca_filem_* | mca_rtc_*) continue ;;
            mca_*_hnp | mca_*_orted | mca_*_tool | mca_*_slurm | mca_*_jsm | mca_*_flux | mca_vprotocol_*) continue ;;
        esac
        cp -L "$plugin" "$target/openmpi/"
        collect "$plugin"
    done
fi
for name in "${!path_of[@]}"; do
    cp -L "${path_of[$name]}" "$target/lib/$name"
done

# --- stand-ins ---------------------------------------------------------------------------------------------------------------------
# write_stand_in NAME REAL_LIBRARY: a library of that name which defines what the collected ones take from the real one.
write_stand_in() {
    local name=$1 real=$2
    nm -D --defined-only --with-symbol-versions --format=posix "$real" | sed 's/@@/@/' | sort > "$work/defined"
    awk -v library="$name" -v script="$work/versions" '
        NR == FNR { wanted[$1] = 1; next }
        ($1 in wanted) {
            split($1, part, "@")
            if (part[1] in seen) next
            seen[part[1]] = 1
            if ($2 ~ /[BDRVGS]/) {
                printf "char %s[0x%s] __attribute__((aligned(32)));\n", part[1], ($4 == "" ? "8" : $4)
            } else if (part[1] ~ answers_zero) {
                printf "long %s(void) { return 0; }\n", part[1]
            } else if (part[1] == "gme_identify_header") {
                printf "const char* %s(void) { return \"\"; }\n", part[1]
            } else {
                printf "void %s(void) { stop(\"%s: %s\"); }\n", part[1], library, part[1]
            }
            if (part[2] != "") members[part[2]] = members[part[2]] part[1] "; "
        }
        BEGIN {
            answers_zero = "^((aom|vpx)_codec_(version|get_caps|av1_cx|vp8_cx|vp9_cx)|x265_api_get_[0-9]+" \
                "|openmpt_(probe_file_header.*|is_extension_supported))$"
            print "#include <stdlib.h>\n#include <string.h>\n#include <unistd.h>"
            print "static void stop(const char* what) {"
            print "    static const char text[] = \" was called, but this bundle holds only a stand-in of that library\\n\";"
            print "    (void)!write(2, what, strlen(what));\n    (void)!write(2, text, sizeof text - 1);\n    abort();\n}"
        }
        END {
            for (version in members) printf "%s { global: %s};\n", version, members[version] > script
        }' "$work/undefined" "$work/defined" > "$work/stand_in.c"
    local script=()
    if [ -s "$work/versions" ]; then
        script=(-Wl,--version-script="$work/versions")
    fi
    "${CC:-cc}" -shared -fPIC -O1 -fno-builtin -w -Wl,-z,noseparate-code -Wl,-soname,"$name" "${script[@]}" \
        -o "$target/lib/$name" "$work/stand_in.c"
    strip --strip-unneeded "$target/lib/$name"
    rm -f "$work/versions"
}

nm -D --undefined-only --with-symbol-versions --format=posix "$target"/lib/*.so* "$target"/bin/reelyard 2> /dev/null |
    awk 'NF > 1 { print $1 }' | sed 's/@@/@/' | sort -u > "$work/undefined"
stand_ins=0
for name in "${!wanted_stand_in[@]}"; do
    [ -z "${path_of[$name]:-}" ] || continue
    real=$(locate "$name")
    [ -n "$real" ] || die "$name: not found"
    write_stand_in "$name" "$real"
    stand_ins=$((stand_ins + 1))
done

# --- wrapper -----------------------------------------------------------------------------------------------------------------------
cp cmake/bundle_wrapper.sh "$target/reelyard"
chmod 755 "$target/reelyard"
{
    echo "Libraries in this folder and the packages they are from:"
    for name in "${!path_of[@]}"; do
        printf '%s %s\n' "$name" "$(dpkg-query -S "$(readlink -f "${path_of[$name]}")" 2> /dev/null | cut -d: -f1 |
            xargs -r dpkg-query -W -f '${Package} ${Version}' 2> /dev/null || true)"
    done | sort
} > "$target/LIBRARIES.txt"

glibc=$(nm -D --undefined-only --with-symbol-versions "$target"/bin/reelyard "$target"/lib/*.so* "$target"/openmpi/*.so |
    grep -o 'GLIBC_2\.[0-9]*' | sort -t. -k2 -n -u | tail -1)
size=$(du -s --apparent-size --block-size=1 "$target" | cut -f1)
printf 'bundle: %s: %d.%d MiB, %d libraries, %d stand-ins, for glibc %s or later\n' "$target" \
    $((size / 1048576)) $((size % 1048576 * 10 / 1048576)) ${#path_of[@]} "$stand_ins" "${glibc#GLIBC_}"
