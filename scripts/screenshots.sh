#!/bin/sh
# Takes the pictures of the README from the report of a real sweep.
#
#   screenshots.sh FATHOM STORE
set -eu

fathom=$1
store=$2
here=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$fathom" report "$store" --out "$scratch/report.html"
python3 "$here/scripts/screenshots.py" "$scratch/report.html" "$here/docs/images"
