#!/bin/sh
# Says whether tests with several hosts can run on this machine, and if not, what is missing.
# Exit status: 0 they can, 4 they cannot.
set -eu
name=fathom-can-$$
say() { printf 'hosts: %s\n' "$*" >&2; }
cannot() {
    say "skipped: $*"
    exit 4
}
[ "$(id -u)" -eq 0 ] || cannot "network namespaces need root"
command -v ip >/dev/null 2>&1 || cannot "there is no ip (iproute2)"
ip netns add "$name" 2>/dev/null || cannot "this system lets nobody make network namespaces"
trap 'ip netns delete "$name"' EXIT
ip -n "$name" link add bridge type bridge 2>/dev/null || cannot "the kernel has no bridges"
[ -c /dev/net/tun ] || cannot "there is no /dev/net/tun for lines that delay and lose"
say "tested: cut off hosts, and lines that delay, lose and break"
