#!/bin/bash
# A real Slurm of several nodes on this one host, inside one scratch folder: no systemd, no cgroups.
#   slurm_on_one_host.sh up DIR NODES CORES     then: export SLURM_CONF=DIR/slurm.conf
#   slurm_on_one_host.sh kill-node DIR NODE     ends the node's daemon and all that runs there
#   slurm_on_one_host.sh down DIR
# Needs root, and Debian's slurm-wlm and munge. Two partitions: main, and urgent, which preempts it.
set -euo pipefail
action=$1
mkdir -p "$2"
dir=$(cd "$2" && pwd)

stop_by_file() {
    if [ -f "$1" ]; then kill "$(cat "$1")" 2>/dev/null || true; fi
}

# Whether a process has a variable in its environment; most are not ours to read, or gone by now.
has_variable() {
    { tr '\0' '\n' <"/proc/$1/environ"; } 2>/dev/null | grep -qx "$2"
}

# Processes of one node, by the environment that Slurm gave them.
processes_of() {
    local process pid
    for process in /proc/[0-9]*; do
        pid=${process#/proc/}
        if has_variable "$pid" "SLURMD_NODENAME=$1" &&
            has_variable "$pid" "SLURM_CONF=$dir/slurm.conf"; then
            echo "$pid"
        fi
    done
}

configuration() {
    local nodes=$1 cores=$2 port=$3 host
    host=$(hostname -s)
    cat <<CONF
ClusterName=onehost
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
ReturnToService=2
SlurmdTimeout=10
KillWait=5
MinJobAge=300
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/run/spool-%n
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd-%n.log
SlurmctldPidFile=$dir/run/slurmctld.pid
SlurmdPidFile=$dir/run/slurmd-%n.pid
NodeName=n[1-$nodes] NodeHostname=$host NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + nodes))] CPUs=$cores RealMemory=1500 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=urgent Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=2 GraceTime=0
CONF
}

up() {
    local nodes=$1 cores=$2 port=$((20000 + RANDOM % 20000)) node
    mkdir -p "$dir"/{state,log,run,munge}
    head -c 1024 /dev/urandom >"$dir/munge/key"
    chmod 400 "$dir/munge/key"
    chown -R munge: "$dir/munge"
    chmod 711 "$dir" "$dir/munge"
    runuser -u munge -- munged --force --key-file="$dir/munge/key" --socket="$dir/munge/socket" \
        --pid-file="$dir/munge/pid" --log-file="$dir/munge/log" --seed-file="$dir/munge/seed"
    configuration "$nodes" "$cores" "$port" >"$dir/slurm.conf"
    export SLURM_CONF=$dir/slurm.conf
    slurmctld -f "$SLURM_CONF"
    for node in $(seq 1 "$nodes"); do
        mkdir -p "$dir/run/spool-n$node"
        slurmd -f "$SLURM_CONF" -N "n$node"
    done
    for _ in $(seq 1 100); do
        if [ "$(sinfo -h -p main -o %T | sort -u)" = idle ]; then return; fi
        sleep 0.2
    done
    sinfo -N >&2
    tail -n 5 "$dir"/log/* >&2
    exit 1
}

kill_node() {
    local pid
    if [ -f "$dir/run/slurmd-$1.pid" ]; then kill -9 "$(cat "$dir/run/slurmd-$1.pid")"; fi
    for pid in $(processes_of "$1"); do kill -9 "$pid" 2>/dev/null || true; done
    for pid in $(pgrep -x slurmstepd); do
        if grep -qz "$dir/run/spool-$1" "/proc/$pid/cmdline" 2>/dev/null ||
            { has_variable "$pid" "SLURMD_NODENAME=$1" &&
                has_variable "$pid" "SLURM_CONF=$dir/slurm.conf"; }; then
            kill -9 "$pid" 2>/dev/null || true
        fi
    done
}

down() {
    local file
    export SLURM_CONF=$dir/slurm.conf
    scancel --quiet --state=RUNNING --state=PENDING 2>/dev/null || true
    for file in "$dir"/run/slurmd-*.pid "$dir/run/slurmctld.pid" "$dir/munge/pid"; do
        stop_by_file "$file"
    done
}

case $action in
up) up "$3" "$4" ;;
kill-node) kill_node "$3" ;;
down) down ;;
*)
    sed -n '2,7s/^# //p' "$0" >&2
    exit 2
    ;;
esac
