#!/bin/sh
# Packs a tarball that runs on a bare Debian 12, or a newer Debian or Ubuntu, without Swift: the
# program with Swift's runtime inside, the shared libraries it needs beside it (the C library alone
# comes from the node), licences, sweeps and systemd units.
#   bundle.sh [OUT_DIR]      writes OUT_DIR/fathom-VERSION-linux-ARCH.tar.gz (default: dist)
#                            and prints its path, and nothing else, on standard output
#   bundle.sh --quick [OUT_DIR]
# The quick form builds nothing anew, which takes minutes: it packs the everyday build with Swift's
# shared libraries, and a script that says where they lie. It is for trying the packing, and larger.
set -eu
cd "$(dirname "$0")/.."
quick=no
if [ "${1:-}" = --quick ]; then
    quick=yes
    shift
fi
out=${1:-dist}
swift=${SWIFT:-swift}
scratch=.build-bundle

say() { printf 'bundle: %s\n' "$*" >&2; }

if [ "$quick" = yes ]; then
    scratch=.build
    [ -x "$scratch/release/fathom" ] || {
        say "--quick packs .build/release/fathom; \`make build\` makes it"
        exit 3
    }
else
    # An old-style RPATH, because it also serves the libraries' own needs.
    "$swift" build -c release --product fathom --static-swift-stdlib --scratch-path "$scratch" \
        -Xlinker --disable-new-dtags -Xlinker -rpath -Xlinker "\$ORIGIN/../lib" >&2
fi
binary=$scratch/release/fathom

version=$("$binary" --version)
arch=$(uname -m)
name=fathom-$version-linux-$arch
[ "$quick" = no ] || name=$name-quick
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
root=$stage/$name
mkdir -p "$root/bin" "$root/lib" "$root/share/licenses"

program=$root/bin/fathom
if [ "$quick" = yes ]; then
    program=$root/lib/fathom
    cat >"$root/bin/fathom" <<'SH'
#!/bin/sh
root=$(dirname "$(dirname "$(readlink -f "$0")")")
LD_LIBRARY_PATH=$root/lib exec "$root/lib/fathom" "$@"
SH
    chmod 755 "$root/bin/fathom"
fi
cp "$binary" "$program"
strip --strip-debug "$program"

# The node's own C library must be used: its parts belong together.
of_the_node='^(linux-vdso|ld-linux|libc|libm|libdl|librt|libpthread|libresolv|libutil|libnsl)[.-]'
toolchain=$(dirname "$(dirname "$(readlink -f "$(command -v "$swift")")")")
ldd "$program" | while read -r library arrow path _; do
    [ "$arrow" = "=>" ] || continue
    printf '%s\n' "$library" | grep -Eq "$of_the_node" && continue
    case $path in
    /*) ;;
    *)
        say "$library is not found on this machine"
        exit 3
        ;;
    esac
    cp -L "$path" "$root/lib/$library"
    case $path in
    "$toolchain"/*)
        printf '%s\tswift\n' "$library" >>"$stage/libraries"
        continue
        ;;
    esac
    real=$(readlink -f "$path")
    # The package list may know the file under /lib, from before /lib became a link.
    package=$({ dpkg -S "$real" || dpkg -S "${real#/usr}"; } 2>/dev/null | head -n 1 | cut -d : -f 1)
    printf '%s\t%s\n' "$library" "${package:-unknown}" >>"$stage/libraries"
done
if [ "$quick" = no ] && grep -q 'libswift\|libFoundation' "$stage/libraries"; then
    say "the program still needs Swift's shared runtime; is this a toolchain with static libraries?"
    exit 3
fi

# What each part may be used under.
cp LICENSE NOTICE "$root/"
cut -f 2 "$stage/libraries" | grep -vx swift | sort -u | while read -r package; do
    [ -f "/usr/share/doc/$package/copyright" ] || {
        say "no licence text for $package"
        exit 3
    }
    mkdir -p "$root/share/licenses/$package"
    cp -L "/usr/share/doc/$package/copyright" "$root/share/licenses/$package/"
done
for checkout in "$scratch"/checkouts/*/; do
    package=$(basename "$checkout")
    mkdir -p "$root/share/licenses/$package"
    for text in LICENSE LICENSE.txt LICENSE.md NOTICE.txt; do
        if [ -f "$checkout/$text" ]; then cp "$checkout/$text" "$root/share/licenses/$package/"; fi
    done
done
if [ -f "$toolchain/share/swift/LICENSE.txt" ]; then
    mkdir -p "$root/share/licenses/swift"
    cp "$toolchain/share/swift/LICENSE.txt" "$root/share/licenses/swift/"
fi
sort "$stage/libraries" >"$root/share/licenses/libraries.tsv"

cp -R sweeps "$root/share/sweeps"
cp -R cluster "$root/share/cluster"

mkdir -p "$out"
stamp=$(git log -1 --format=%ct 2>/dev/null || date +%s)
tar --sort=name --mtime="@$stamp" --owner=0 --group=0 --numeric-owner \
    -C "$stage" -cf - "$name" | gzip -9n >"$out/$name.tar.gz"
say "$out/$name.tar.gz, $(du -h "$out/$name.tar.gz" | cut -f 1)"
printf '%s\n' "$out/$name.tar.gz"
