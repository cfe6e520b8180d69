#!/usr/bin/env bash
# npm.sh FOLDER: brings what client/examples/node is made of to FOLDER/node_modules, for its test,
# which has no network. Quick where it is there. Fails, with the reason, where it cannot be had.
set -euo pipefail

readonly FOLDER=${1:?usage: npm.sh FOLDER}
readonly EXAMPLE=client/examples/node

fail() {
  printf '%s: the test of %s is skipped.\n' "$*" "$EXAMPLE"
  exit 1
}

for program in node npm; do
  command -v "$program" >/dev/null || fail "there is no $program"
done

# Copied last, the lock says that all that it names is there.
[[ $(cat "$FOLDER/installed.json" 2>/dev/null) == "$(cat "$EXAMPLE/package-lock.json")" ]] && exit
rm -rf "$FOLDER"
mkdir -p "$FOLDER"
for file in package.json package-lock.json; do
  cat "$EXAMPLE/$file" >"$FOLDER/$file"
done
(cd "$FOLDER" && npm ci --ignore-scripts --no-audit --no-fund) ||
  fail "npm ci failed (is there a network?)"
cat "$EXAMPLE/package-lock.json" >"$FOLDER/installed.json"
