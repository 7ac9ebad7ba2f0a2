#!/bin/sh
# Where the time of training goes, function by function, on one slot. Needs Linux perf.
# Usage: scripts/account.sh [path of fathom]
set -eu
fathom=${1:-.build/release/fathom}
record=$(mktemp)
trap 'rm -f "$record"' EXIT

for model in lenet5 "resnet18 --width 16" "resnet18 --width 64"; do
    # shellcheck disable=SC2086 # the width is a second argument
    perf record -q -e cpu-clock -F 499 -o "$record" \
        "$fathom" bench train --model $model --images 256 --batch 64 --passes 3 --threads 1
    echo "train $model"
    perf report -i "$record" --stdio --no-children -s symbol 2>/dev/null |
        grep -v '^#' | grep . | head -16
done
