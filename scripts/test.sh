#!/usr/bin/env bash
# Runs every test and ends with one line: N passed, N failed, N skipped.
set -uo pipefail
cd "$(dirname "$0")/.."
scripts/deps.sh || exit $?

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
failed=0
step() { echo "== $1"; shift; "$@" || { echo "-- that failed"; failed=1; }; }

go build -o bin/ ./cmd/... || exit 1
step "lint" scripts/lint.sh

echo "== Go tests, with the race detector"
go test -race -json -timeout 15m ./... > "$out/go.json" 2> "$out/go.err" || true
cat "$out/go.err"

echo "== stories of a swarm"
go test -json -run TestStories ./internal/swarmtest > "$out/stories.json" || true

echo "== TypeScript tests"
go run ./web/bundle -tests "$out/web" && node --test --test-reporter=tap "$out"/web/*.test.mjs > "$out/web.tap" || true

echo "== browsers"
(cd e2e && node --test --test-concurrency=1 --test-timeout=900000 --test-reporter=tap ./*.test.mjs) > "$out/e2e.tap" || true

go run ./internal/tally "$out/go.json" "$out/stories.json" "$out/web.tap" "$out/e2e.tap" || failed=1
exit $failed
