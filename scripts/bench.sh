#!/bin/sh
# Prints one JSON line a figure, with the arguments that made it. Benchmarks/README.md explains.
set -eu
fathom=${1:-.build/release/fathom}

figure() {
    result=$("$fathom" bench "$@" --format json)
    printf '{"bench": "%s", "result": %s}\n' "$*" "$result"
}

figure render --images 4000
figure sal --model lenet5 --images 2000 --batch 250 --passes 10 --threads 2
figure sal --model resnet18 --width 16 --images 256 --batch 64 --passes 1 --threads 2
figure sal --model resnet18 --width 64 --images 64 --batch 8 --passes 1 --threads 2
figure train --model lenet5 --images 2000 --batch 250 --passes 5 --threads 2
figure train --model resnet18 --width 16 --images 512 --batch 64 --passes 2 --threads 2
figure dispatch --jobs 100000 --workers 2
figure accept --jobs 1000000
figure connections --count 1000
figure train --model resnet18 --width 64 --images 256 --batch 64 --passes 1 --threads 2
