#!/usr/bin/env bash
# House rules that a compiler does not check. Prints "file:line: rule" for each place that breaks one; exit status 1 if any does.
# usage: tests/lint/house_rules.sh [FILE...]     (all C++ files of include/ and src/ when none is named)
set -u
cd "$(dirname "$0")/../.." || exit 2

if [ $# -gt 0 ]; then
    files=$(printf '%s\n' "$@" | grep -E '^(include|src)/.*\.(hpp|cpp|cuh|cu)$')
else
    files=$(git ls-files --cached --others --exclude-standard -- include src | grep -E '\.(hpp|cpp|cuh|cu)$')
fi
[ -n "$files" ] || exit 0
status=0

# forbid PATTERN ALLOWED_FILES RULE: no line may match PATTERN, comments aside, except in files whose path matches ALLOWED_FILES.
forbid() {
    local found
    found=$(printf '%s\n' "$files" | grep -v -E "$2" | xargs -r grep -n -H -E -- "$1" | grep -v -E '^[^:]+:[0-9]+:[[:space:]]*(//|\*)' |
        sed -E "s|^([^:]+:[0-9]+):.*|\1: $3|")
    if [ -n "$found" ]; then
        printf '%s\n' "$found"
        status=1
    fi
}

word='(^|[^[:alnum:]_])'
forbid "${word}(abort|exit|_exit|quick_exit|terminate|MPI_Abort)[[:space:]]*\(" '/(cli|mpi/session)[/.]' \
    'library code throws; only cli and mpi::Session end the program'
forbid "${word}MPI_COMM_WORLD" '/mpi/' 'only mpi names MPI_COMM_WORLD; take a communicator'
forbid '#[[:space:]]*include[[:space:]]*<(ATen/ATen\.h|spdlog/spdlog\.h|nlohmann/json\.hpp)>' '\.(cpp|cu)$' \
    'this header is too slow to be included from a header'
forbid '#[[:space:]]*include[[:space:]]*<torch/(torch|extension)\.h>' '^$' 'torch/torch.h is not included anywhere'
forbid "(std::(cout|cerr|clog)|${word}(printf|puts|putchar)[[:space:]]*\()" '/cli/' 'only cli prints'
forbid '^[[:space:]]*using namespace ' '^$' 'no using namespace'
forbid '(^|[^[:alnum:]_])assert[[:space:]]*\(' '^$' 'use require() or REELYARD_EXPECT()'

# A shared_ptr says in a comment on its line, or in the comment above, why it is shared.
while IFS= read -r file; do
    awk -v file="$file" '
        pending && !/\/\// { report() }
        { pending = 0 }
        /shared_ptr</ && !/\/\// && !above { if (/;/) report(); else pending = FNR }
        { above = /^[ \t]*\/\// || (above && /shared_ptr</) }
        END { exit bad }
        function report() { print file ":" (pending ? pending : FNR) ": a shared_ptr needs a comment that says why"; bad = 1 }
        ' "$file" || status=1
    limit=500
    case $file in include/*) limit=200 ;; esac
    lines=$(wc -l < "$file")
    if [ "$lines" -gt "$limit" ]; then
        echo "$file:$lines: a file has at most $limit lines"
        status=1
    fi
done <<< "$files"

# Ten names a folder: x.hpp, x.cpp, x_cpu.cpp and x_cuda.cu are one name.
crowded=$(printf '%s\n' "$files" | sed -E 's/\.[a-z]+$//; s/_(reference|cpu|cuda)$//' | sort -u | xargs -r -n1 dirname | sort | uniq -c |
    awk '$1 > 10 { print $2 ":1: a folder has at most 10 names (" $1 ")" }')
if [ -n "$crowded" ]; then
    printf '%s\n' "$crowded"
    status=1
fi
exit $status
