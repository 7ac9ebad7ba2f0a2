#!/bin/sh
# Shows that no step of training, with a defense or without, and no pass of SAL allocates: more of
# them must take as many allocations as fewer. ueraser-jpeg is left out: libjpeg-turbo takes memory
# of its own for every image.
# Usage: scripts/count_allocations.sh [path of fathom]
set -eu
fathom=${1:-.build/release/fathom}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cc -O1 -shared -fPIC -o "$scratch/count.so" "$(dirname "$0")/../Benchmarks/allocations.c" -ldl

count() {
    LD_PRELOAD="$scratch/count.so" "$fathom" bench "$@" --threads 1 2>&1 >/dev/null |
        sed -n 's/ allocations.*//p'
}

failed=0
for model in lenet5 "resnet18 --width 8"; do
    # shellcheck disable=SC2086 # the width is a second argument
    set -- $model
    few=$(count train --model "$@" --images 100 --batch 40 --passes 1)
    many=$(count train --model "$@" --images 100 --batch 40 --passes 3)
    echo "train $model: $few allocations with 1 epoch, $many with 3"
    [ "$few" -eq "$many" ] || failed=1
    few=$(count sal --model "$@" --images 64 --batch 32 --passes 5)
    many=$(count sal --model "$@" --images 64 --batch 32 --passes 8)
    echo "sal $model: $few allocations with 5 passes, $many with 8"
    [ "$few" -eq "$many" ] || failed=1
done
for defense in cutout cutmix mixup ueraser coin rsk-ff at; do
    few=$(count train --model resnet18 --width 8 --images 100 --batch 40 --passes 1 --defense "$defense")
    many=$(count train --model resnet18 --width 8 --images 100 --batch 40 --passes 3 --defense "$defense")
    echo "train resnet18 --width 8 under $defense: $few allocations with 1 epoch, $many with 3"
    # A process takes a few more or fewer by itself; six further steps must not show.
    [ $((many - few)) -lt 6 ] || failed=1
done
exit $failed
