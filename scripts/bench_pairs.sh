#!/bin/sh
# Every bar of the compute core three times beside its peer, ours and PyTorch's in turn on two cores,
# and the middle of the three ratios. Close other programs first. Takes about ten minutes.
# Usage: scripts/bench_pairs.sh [fathom] [python with PyTorch]
set -eu
fathom=${1:-.build/release/fathom}
python=${2:-python3}
speed=$(dirname "$0")/../Benchmarks/peers/speed.py

# train|sal MODEL WIDTH IMAGES BATCH PASSES
pair() {
    width=
    [ "$2" = lenet5 ] || width="--width $3"
    ratios=
    for turn in 1 2 3; do
        # shellcheck disable=SC2086 # a model without widths takes no argument here
        ours=$("$fathom" bench "$1" --model "$2" $width --images "$4" --batch "$5" --passes "$6" \
            --threads 2 --format json | tr -dc '0-9.\n')
        peer=$("$python" "$speed" "$1" "$2" "$3" "$4" "$5" "$6")
        # Seconds: less is more. Images a second: more is more.
        [ "$1" = sal ] && ratio="$peer / $ours" || ratio="$ours / $peer"
        ratio=$(awk "BEGIN { printf \"%.2f\", $ratio }")
        echo "$* turn $turn: ours $ours, PyTorch $peer, ratio $ratio"
        ratios="$ratios $ratio"
    done
    # shellcheck disable=SC2086 # three words
    echo "$*: median ratio $(printf '%s\n' $ratios | sort -n | sed -n 2p)"
}

pair train lenet5 1 2000 250 5
pair train resnet18 16 512 64 1
pair train resnet18 64 256 64 1
pair sal lenet5 1 2000 250 10
pair sal resnet18 16 256 64 1
pair sal resnet18 64 64 8 1

# Projected steps against the paper's loop of ten passes. All passes of PyTorch's are the same work, so
# that one is measured and counted ten times.
ratios=
for turn in 1 2 3; do
    ours=$("$fathom" bench sal --model resnet18 --width 16 --images 256 --batch 32 --solver normalized \
        --steps 4 --threads 2 --format json | tr -dc '0-9.\n')
    peer=$("$python" "$speed" sal resnet18 16 256 32 1)
    ratio=$(awk "BEGIN { printf \"%.2f\", 10 * $peer / $ours }")
    echo "normalized, turn $turn: ours $ours, PyTorch 10 x $peer, ratio $ratio"
    ratios="$ratios $ratio"
done
# shellcheck disable=SC2086 # three words
echo "normalized: median ratio $(printf '%s\n' $ratios | sort -n | sed -n 2p)"
