#!/bin/sh
# Makes this machine ready to build Fathom: checks the Swift toolchain, then installs the system
# libraries that are missing. Running it again costs nothing. Exit status: 0 ready, 3 not ready.
set -eu

swift_minimum_major=6
swift_minimum_minor=2
libraries="libzmq3-dev libopenblas-dev libsqlite3-dev libturbojpeg0-dev zlib1g-dev libpng-dev"
data_sets="dataset-fashion-mnist"

say() { printf 'setup: %s\n' "$*" >&2; }

stop() {
    say "$@"
    exit 3
}

check_swift() {
    command -v swift >/dev/null 2>&1 || stop \
        "Swift is not on the PATH. Fathom needs Swift $swift_minimum_major.$swift_minimum_minor" \
        "or newer: install it from https://www.swift.org/install and run this again."
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9.]*\).*/\1/p' | head -n 1)
    [ -n "$version" ] || stop \
        "'swift --version' does not say a version; is $(command -v swift) a Swift toolchain?"
    major=${version%%.*}
    case $version in
    *.*) minor=${version#*.} minor=${minor%%.*} ;;
    *) minor=0 ;;
    esac
    if [ "$major" -lt "$swift_minimum_major" ] || {
        [ "$major" -eq "$swift_minimum_major" ] && [ "$minor" -lt "$swift_minimum_minor" ]
    }; then
        stop "Swift is $version; Fathom needs $swift_minimum_major.$swift_minimum_minor or newer:" \
            "install it from https://www.swift.org/install and run this again."
    fi
}

# Prints the Debian packages that are not installed, on one line.
missing_packages() {
    installed=$(
        # shellcheck disable=SC2086
        dpkg-query -W -f '${db:Status-Status} ${Package}\n' $libraries $data_sets 2>/dev/null |
            sed -n 's/^installed //p'
    ) || true
    missing=""
    for package in $libraries $data_sets; do
        printf '%s\n' "$installed" | grep -qx "$package" || missing="$missing $package"
    done
    for tool in pkg-config make gcc; do
        command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
    done
    printf '%s' "${missing# }"
}

# Without apt nothing is installed here; what pkg-config cannot find is named.
check_without_apt() {
    command -v pkg-config >/dev/null 2>&1 || stop \
        "this system has no apt-get, and pkg-config is missing. Install pkg-config, make, a C" \
        "compiler, and the development files of ZeroMQ 4.3 or newer (with CURVE), OpenBLAS," \
        "SQLite 3, libjpeg-turbo, zlib and libpng; then run this again."
    missing=""
    for library in libzmq openblas sqlite3 libturbojpeg zlib libpng; do
        pkg-config --exists "$library" || missing="$missing $library"
    done
    [ -z "$missing" ] || stop \
        "this system has no apt-get, and pkg-config does not find:$missing. Install their" \
        "development files and run this again."
    say "the libraries are here. Tests and the second example also read Fashion-MNIST's four .gz" \
        "files (https://github.com/zalandoresearch/fashion-mnist), which docs/data.md speaks of."
}

install_packages() {
    line="apt-get install -y --no-install-recommends $1"
    if [ "$(id -u)" -eq 0 ]; then
        as_root=""
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        as_root="sudo -n"
    else
        say "these packages are missing, and installing them needs an administrator. Run:"
        stop "    sudo apt-get update && sudo $line"
    fi
    say "installing $1"
    # Unquoted on purpose: words of a command.
    # shellcheck disable=SC2086
    $as_root apt-get update -q >&2 || say "apt-get update failed; trying with the lists at hand"
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive $line >&2 ||
        stop "apt-get could not install: $1. Its message above says why."
}

check_swift
if ! command -v apt-get >/dev/null 2>&1; then
    check_without_apt
    exit 0
fi
missing=$(missing_packages)
if [ -n "$missing" ]; then
    install_packages "$missing"
    missing=$(missing_packages)
    [ -z "$missing" ] || stop "still missing after the installation: $missing"
fi
