#!/bin/sh
# Runs the bundle in bare Debians made for it (debootstrap, minbase), the oldest it is for and a
# newer one: no Swift, no libraries of ours, a user without rights. Needs root.
#   test_bundle.sh [BUNDLE.tar.gz]      default: makes one, which takes minutes
#   test_bundle.sh --quick              makes the quick one, of the everyday build; the oldest only
# Exit status: 0 passed, 1 failed, 4 cannot be tested here (it says why).
set -eu
cd "$(dirname "$0")/.."
say() { printf 'test_bundle: %s\n' "$*" >&2; }
[ "$(id -u)" -eq 0 ] || {
    say "skipped: needs root for chroot"
    exit 4
}
if ! command -v debootstrap >/dev/null 2>&1; then
    { apt-get update -q && apt-get install -y -q --no-install-recommends debootstrap; } >&2 ||
        { say "skipped: debootstrap cannot be installed"; exit 4; }
fi
bundle=${1:-}
work=$(mktemp -d)
clean() {
    for root in "$work"/root-*; do
        for inner in proc dev; do
            if mountpoint -q "$root/$inner"; then umount "$root/$inner"; fi
        done
    done
    rm -rf --one-file-system "$work"
}
trap clean EXIT
releases="bookworm trixie"
case $bundle in
"") bundle=$(sh scripts/bundle.sh) ;;
--quick)
    bundle=$(sh scripts/bundle.sh --quick "$work")
    releases=bookworm
    ;;
esac
bundle=$(readlink -f "$bundle")
mirror=$(sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) bookworm .*/\2/p; s/^URIs: *\([^ ]*\).*/\1/p' \
    /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1)
# BLAS takes the same kernel inside and outside.
blas=${OPENBLAS_CORETYPE:+OPENBLAS_CORETYPE=$OPENBLAS_CORETYPE}
rows="SELECT * FROM salMatrix ORDER BY cell, seed, epoch, layerIndex"
cat >"$work/small.yaml" <<'YAML'
version: 1
name: small
data: { set: rooms10, train: 60, test: 40 }
methods: [clean, rand-s]
tasks: [cls]
models: [lenet5]
seeds: 1
training: { epochs: 2, batch: 20, learningRate: 0.05 }
sal: { every: 1, from: 1, images: 20, batch: 20, solver: normalized, steps: 2 }
compare: { threshold: released }
YAML

# The sweep outside, with one slot.
mkdir "$work/here" "$work/here/bundle"
tar -xzf "$bundle" -C "$work/here/bundle" --strip-components 1
cd "$work/here"
./bundle/bin/fathom run ../small.yaml --slots 1 >/dev/null
outside=$(./bundle/bin/fathom query small.fathom.sqlite "$rows" --format csv | sha256sum)

# Runs it in a bare system, with two: the same bits. Answers 4 where the system cannot be made.
try_on() {
    release=$1
    root=$work/root-$release
    debootstrap --variant=minbase "$release" "$root" ${mirror:+"$mirror"} >"$work/log" 2>&1 || {
        tail -n 5 "$work/log" >&2
        say "skipped: debootstrap cannot fetch Debian $release here"
        return 4
    }
    mount -t proc proc "$root/proc"
    mount --bind /dev "$root/dev"
    tar -xzf "$bundle" -C "$root/opt"
    program=/opt/$(basename "$bundle" .tar.gz)/bin/fathom
    chroot "$root" useradd -m -d /var/lib/tester tester
    cp "$work/small.yaml" "$root/var/lib/tester/"
    say "$release: $(as_user 'ldd --version | head -n 1'), no Swift: $(as_user 'command -v swift || echo none')"
    # In the quick form a script starts the program, which lies among its libraries.
    library=$(dirname "$(dirname "$program")")/lib
    look="ldd $program"
    [ ! -f "$root$library/fathom" ] || look="LD_LIBRARY_PATH=$library ldd $library/fathom"
    found=$(as_user "$look") || { say "not a program: $found"; return 1; }
    missing=$(printf '%s\n' "$found" | grep 'not found' || true)
    [ -z "$missing" ] || { say "libraries are missing: $missing"; return 1; }
    as_user "$program --version && $program run small.yaml --slots 2" >&2 || return 1
    inside=$(as_user "$program query small.fathom.sqlite '$rows' --format csv" | sha256sum)
    [ "$inside" = "$outside" ] || { say "tables differ inside $release and outside"; return 1; }
    say "passed: same tables inside a bare $release and outside"
}

as_user() {
    # shellcheck disable=SC2086
    chroot --userspec=tester:tester "$root" /usr/bin/env -i HOME=/var/lib/tester PATH=/usr/bin:/bin \
        $blas sh -c "cd && $1"
}

for release in $releases; do
    # Not behind `||`, where a failed step inside would not stop it.
    (try_on "$release")
done
