#!/usr/bin/env bash
# bench-ratio.sh NAME PACKAGE BENCHMARK METRIC: runs a Go benchmark that pairs
# ours with a peer in each run, five times, and ends with the median ratio.
set -euo pipefail
cd "$(dirname "$0")/.."
name=$1 package=$2 benchmark=$3 metric=$4
go test "$package" -run '^$' -bench "^$benchmark\$" -benchtime "${BENCHTIME:-10x}" -count "${COUNT:-5}" | tee /dev/stderr |
  awk -v metric="$metric" '{ for (i = 2; i <= NF; i++) if ($i == metric) print $(i-1) }' | sort -g |
  awk -v name="$name" '{ v[NR] = $1 } END { if (NR == 0) exit 1; printf "%s ratio %.2f\n", name, v[int((NR + 1) / 2)] }'
