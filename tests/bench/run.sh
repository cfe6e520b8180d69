#!/bin/bash
# Measures the goals for speed: run.sh BIN_DIR [--write]. With --write the tables replace those of
# README.md beside this script.
set -euo pipefail

bin=$1
readme=$(dirname "$0")/README.md
# For what is of one thread.
core=${HANDFAST_BENCH_CORE:-0}

tables() {
  printf 'Measured on %s; %s; OpenSSL %s.\n\n' "$(date +%F)" \
    "$(sed -n 's/^model name[^:]*: //p;T;q' /proc/cpuinfo), $(nproc) cores" \
    "$(openssl version | cut -d' ' -f2)"
  # On one core, so that neither the scheduler nor another core's load moves one side of a ratio and
  # not the other.
  taskset -c "$core" "$bin/tests/bench/engine_bench"
  printf '\n'
  taskset -c "$core" "$bin/tests/bench/record_bench"
  printf '\n'
  "$bin/tests/bench/service_bench" "$bin"
  printf '\n'
  "$bin/tests/bench/edge_bench" "$bin"
  printf '\n'
  "$bin/tests/bench/steps_bench" "$bin"
  "$bin/tests/bench/store_bench" "$bin"
  printf '\n'
  taskset -c "$core" "$bin/tests/bench/growth_bench"
}

result=$(tables)
printf '%s\n' "$result"
if [[ ${2:-} == --write ]]; then
  kept=$(sed '/^## Results/q' "$readme")
  printf '%s\n\n%s\n' "$kept" "$result" >"$readme"
fi
