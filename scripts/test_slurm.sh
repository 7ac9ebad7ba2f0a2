#!/bin/bash
# Runs a sweep on a real Slurm of three nodes that it sets up on this host: workers come and go as
# allocations, one is preempted, one is killed, a node dies. The tables must be those of a run on
# one machine, and Slurm must not be asked more often than every 30 seconds.
#   test_slurm.sh [--large]       --large: 10,000 SAL entries through at most ten allocations
# Exit status: 0 passed, 1 failed, 4 cannot be tested here (it says why).
set -euo pipefail
cd "$(dirname "$0")/.."
fathom=$PWD/.build/release/fathom
one_host=$PWD/scripts/slurm_on_one_host.sh
say() { printf 'test_slurm: %s\n' "$*" >&2; }
skip() {
    say "skipped: $*"
    exit 4
}
fail() {
    say "FAILED: $*"
    for log in "$work"/sweep/*.slurm/log/*; do
        say "--- $log"
        tail -n 15 "$log" >&2
    done
    exit 1
}

[ "$(id -u)" -eq 0 ] || skip "needs root to start Slurm's daemons"
if ! command -v slurmctld >/dev/null 2>&1; then
    { apt-get update -q && apt-get install -y -q --no-install-recommends slurm-wlm munge; } \
        >/dev/null 2>&1 || skip "slurm-wlm cannot be installed"
fi
[ -x "$fathom" ] || make build >&2

large=no
[ "${1:-}" != --large ] || large=yes
work=$(mktemp -d)
chmod 711 "$work"
clean() {
    "$one_host" down "$work/slurm" || true
    rm -rf "$work"
}
trap clean EXIT

mkdir -p "$work/sweep" "$work/bin"
# Long enough that a worker which was struck down is replaced, half a minute later, before the end.
seeds=16 epochs=6 train=400 test=100 images=300 steps=4
# Many entries, each of them tiny: what is tried is the number, not the arithmetic.
if [ "$large" = yes ]; then seeds=100 epochs=10 train=60 test=40 images=20 steps=2; fi
cat >"$work/sweep/cluster.yaml" <<YAML
version: 1
name: cluster
data: { set: rooms10, train: $train, test: $test }
methods: [clean, lsp]
tasks: [cls]
models: [lenet5]
seeds: $seeds
training: { epochs: $epochs, batch: 20, learningRate: 0.05 }
sal: { every: 1, from: 1, images: $images, batch: 20, solver: normalized, steps: $steps }
compare: { controls: [clean] }
YAML

# Counts what Slurm is asked.
squeue=$(command -v squeue)
cat >"$work/bin/squeue" <<SH
#!/bin/sh
date +%s >>"$work/asked"
exec "$squeue" "\$@"
SH
chmod +x "$work/bin/squeue"

say "a run on one machine"
(cd "$work/sweep" && "$fathom" run cluster.yaml --db local.sqlite --slots 2) >/dev/null 2>&1
"$fathom" export "$work/sweep/local.sqlite" --out "$work/expected" >/dev/null

say "starting Slurm"
"$one_host" up "$work/slurm" 3 2 || skip "Slurm's daemons do not start on this machine"
export SLURM_CONF=$work/slurm/slurm.conf
cd "$work/sweep"
PATH=$work/bin:$PATH "$fathom" submit slurm cluster.yaml --db "$work/sweep/cluster.sqlite" \
    --nodes-max 3 --cores 1 --minutes 10 --backlog-seconds 1 >&2

finished() {
    "$fathom" query cluster.sqlite \
        "SELECT (SELECT count(*) FROM sal) AS n" --format csv 2>/dev/null | tail -n 1
}
entries=$((2 * seeds * epochs * 5))
# Waits until so many SAL entries are there, or the sweep has ended.
reach() {
    for _ in $(seq 1 3000); do
        [ "$(finished || echo 0)" -lt "$1" ] 2>/dev/null || return 0
        [ -n "$("$squeue" -h)" ] || return 0
        sleep 0.2
    done
    fail "no $1 entries within ten minutes"
}
running_workers() { "$squeue" -h --array -n fathom-cluster -t RUNNING -o '%i %N'; }
kills=0
# Does something to the first worker that runs on another node than the coordinator.
strike() {
    local worker=
    for _ in $(seq 1 300); do
        worker=$(running_workers | awk -v home="$home" '$2 != home { print; exit }')
        [ -z "$worker" ] || break
        [ -n "$("$squeue" -h -j "$coordinator" 2>/dev/null)" ] || return 0
        sleep 0.2
    done
    [ -n "$worker" ] || return 0
    kills=$((kills + 1))
    say "$1: ${worker% *} on ${worker#* }"
    case $1 in
    kill) scancel --signal=KILL "${worker% *}" ;;
    preempt)
        sbatch -p urgent -w "${worker#* }" --exclusive -t 1 --output=/dev/null --wrap 'sleep 3' >&2
        ;;
    node-dies) "$one_host" kill-node "$work/slurm" "${worker#* }" ;;
    esac
}
coordinator=$("$squeue" -h -n fathom-cluster-coordinator -o %i)
for _ in $(seq 1 100); do
    home=$("$squeue" -h -j "$coordinator" -o %N)
    [ -z "$home" ] || break
    sleep 0.2
done
reach $((entries / 5))
strike kill
reach $((entries * 3 / 10))
strike preempt
reach $((entries * 2 / 5))
strike node-dies
for _ in $(seq 1 3000); do
    [ -n "$("$squeue" -h -j "$coordinator" 2>/dev/null)" ] || break
    sleep 0.2
done

"$fathom" status cluster.sqlite >&2 || fail "the sweep did not finish"
# What a user sees who is not on the coordinator's node.
"$fathom" export cluster.slurm/cluster.fathom.sqlite --out "$work/found" >/dev/null
diff -r "$work/expected/results" "$work/found/results" >&2 || fail "tables differ from a local run"
[ "$kills" -ge 3 ] || fail "only $kills of 3 blows found a worker"
left=$("$squeue" -h -n fathom-cluster -t RUNNING,PENDING | wc -l)
[ "$left" -eq 0 ] || fail "$left allocations were left behind"
awk 'NR > 1 && $1 - last < 29 { exit 1 } { last = $1 }' "$work/asked" ||
    fail "Slurm was asked more than once in 30 seconds: $(tr '\n' ' ' <"$work/asked")"
allocations=$(find "$work/sweep/cluster.slurm/log" -name 'worker-*' | wc -l)
if [ "$large" = yes ] && [ "$allocations" -gt 10 ]; then
    fail "$allocations allocations, more than ten"
fi
say "passed: $entries SAL entries, $allocations allocations, $kills blows, same tables"
