#!/usr/bin/env bash
# Builds a release, installs and uses every package of it, and ends with one
# line: N passed, N failed, N skipped.
set -uo pipefail
cd "$(dirname "$0")/.."
scripts/deps.sh scripts/packages-packaging.txt || exit $?
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
go test -tags packages -json -timeout 70m ./packaging/tests > "$out/packages.json" 2> "$out/packages.err" || true
cat "$out/packages.err"
go run ./internal/tally "$out/packages.json"
