#!/bin/sh
# Checks the launch files: shell scripts, systemd units, Kubernetes manifests against the published
# schemas. What cannot be checked here is said.
set -eu
cd "$(dirname "$0")/.."
say() { printf 'check_cluster: %s\n' "$*"; }
failed=0

if command -v shellcheck >/dev/null 2>&1; then
    shellcheck scripts/*.sh .ci/run || failed=1
    say "shell scripts checked"
else
    say "skipped: shellcheck is not installed"
fi

if command -v systemd-analyze >/dev/null 2>&1; then
    for unit in cluster/systemd/*.service; do
        # The program lies where the bundle puts it, not here.
        problems=$(systemd-analyze verify "$unit" 2>&1 | grep -v 'is not executable' || true)
        [ -z "$problems" ] || {
            say "$problems"
            failed=1
        }
        systemd-analyze security --offline=true --threshold=25 --no-pager "$unit" >/dev/null || {
            say "$unit is not hardened enough"
            failed=1
        }
    done
    say "systemd units checked"
else
    say "skipped: systemd-analyze is not installed"
fi

environment=$(mktemp -d)
trap 'rm -rf "$environment"' EXIT
if python3 -m venv "$environment" >/dev/null 2>&1 &&
    "$environment/bin/pip" install -q --disable-pip-version-check kubernetes-validate >/dev/null 2>&1; then
    "$environment/bin/kubernetes-validate" --strict cluster/kubernetes/*.yaml || failed=1
    say "Kubernetes manifests checked"
else
    say "skipped: kubernetes-validate cannot be installed"
fi
exit "$failed"
