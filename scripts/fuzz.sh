#!/usr/bin/env bash
# Runs every fuzz target for FUZZTIME (one minute unless set), and CHECKS random
# cases (3000 unless set) of every property.
set -euo pipefail
cd "$(dirname "$0")/.."
git grep -l 'rapid\.Check(' -- '*_test.go' | xargs -n1 dirname | sort -u | while read -r folder; do
  go test "./$folder" -timeout 1h -rapid.checks "${CHECKS:-3000}"
done
git grep -o '^func Fuzz[A-Za-z]*' -- '*_test.go' | while IFS=: read -r file name; do
  go test "./$(dirname "$file")" -run '^$' -fuzz "^${name#func }\$" -fuzztime "${FUZZTIME:-1m}"
done
