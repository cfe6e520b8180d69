#!/usr/bin/env bash
# Makes the two images from built programs: handfastd (the service, with the command line for its
# operator) and handfast-edge (the thin client alone). No engine, no network, no root.
#
# usage: build.sh OUT_DIR BIN_DIR [TAG]
# BIN_DIR holds the programs as Bazel lays them out:
#   bazel build --config=release //server:handfastd //client/cli:handfast //client/edge:handfast-edge
#   deploy/image/build.sh out/image "$(bazel info --config=release bazel-bin)"
set -euo pipefail

die() {
  echo "build.sh: $*" >&2
  exit 1
}

if [[ $# -lt 2 || $# -gt 3 ]]; then
  sed -n 's/^# \{0,1\}//; 4,8p' "${BASH_SOURCE[0]}" >&2
  exit 2
fi
here=$(dirname "${BASH_SOURCE[0]}")
out=$1
bin=$2
tag=${3:-dev}

for program in server/handfastd client/cli/handfast client/edge/handfast-edge; do
  [[ -x $bin/$program ]] || die "$bin/$program is missing: build it first"
done
for tool in ldd dpkg-query python3; do
  command -v "$tool" >/dev/null || die "$tool is missing"
done

image() {
  local name=$1
  shift
  "$here/image.py" --out "$out" --name "$name" --tag "$tag" --license "$here/../../LICENSE" "$@"
}

mkdir -p "$out"
image handfastd "$bin/server/handfastd" "$bin/client/cli/handfast"
image handfast-edge "$bin/client/edge/handfast-edge"
