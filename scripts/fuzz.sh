#!/usr/bin/env bash
# Runs every fuzz target for FUZZTIME (one minute unless set).
set -euo pipefail
cd "$(dirname "$0")/.."
git grep -ho '^func Fuzz[A-Za-z]*' -- '*_test.go' >/dev/null
git grep -o '^func Fuzz[A-Za-z]*' -- '*_test.go' | while IFS=: read -r file name; do
  go test "./$(dirname "$file")" -run '^$' -fuzz "^${name#func }\$" -fuzztime "${FUZZTIME:-1m}"
done
