#!/usr/bin/env bash
# Lays Debian 13's OpenSSL 3.5, and what it needs, into a new folder, for the tests that name it and
# those that need ML-KEM:
#
#   tests/interop/debian13.sh FOLDER
#   HANDFAST_DEBIAN13=FOLDER bazel test //tests/interop:debian13_test \
#     //tests/interop:debian13_hybrid_test //tests/tls/connection:hybrid_test \
#     //tests/tls/crypto:kex_hybrid_test
#
# Nothing is installed: apt keeps its state in the folder.
set -euo pipefail

mkdir -p "$1"
folder=$(cd "$1" && pwd)
mkdir -p "$folder"/apt/etc/apt "$folder"/apt/var/lib/{apt/lists/partial,dpkg} \
  "$folder"/apt/var/cache/apt/archives/partial "$folder"/packages
: >"$folder/apt/var/lib/dpkg/status"
key=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$key] http://deb.debian.org/debian trixie main" >"$folder/apt/etc/apt/sources.list"

options=(-o "Dir=$folder/apt" -o "Dir::State::status=$folder/apt/var/lib/dpkg/status"
  -o Dir::Etc::sourceparts=- -o APT::Sandbox::User=root)
apt-get "${options[@]}" update
cd "$folder/packages"
apt-get "${options[@]}" download openssl libssl3t64 libc6 libzstd1 zlib1g
for package in *.deb; do dpkg -x "$package" "$folder"; done
