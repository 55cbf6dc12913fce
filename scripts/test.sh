#!/usr/bin/env bash
# Runs every test and ends with one line: N passed, N failed, N skipped.
set -uo pipefail
cd "$(dirname "$0")/.."
. scripts/tags.sh
scripts/deps.sh || exit $?

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
failed=0
step() { echo "== $1"; shift; "$@" || { echo "-- that failed"; failed=1; }; }

scripts/build.sh || exit 1
step "lint" scripts/lint.sh

# What is drawn at random is drawn the same each time: make fuzz looks further.
export RAPID_SEED=1

echo "== Go tests, with the race detector"
go test -tags "$TUBER_TEST_TAGS" -race -json -timeout 15m ./... > "$out/go.json" 2> "$out/go.err" || true
cat "$out/go.err"

# Root may open every file, so that tests of modes prove little: again as nobody.
as_nobody() {
  local package
  chmod 755 "$out"
  for package in "$@"; do
    go test -c -o "$out/${package//\//-}.test" "./$package" || return 1
    (cd / && setpriv --reuid nobody --regid nogroup --clear-groups env TMPDIR=/tmp HOME=/ \
      "$out/${package//\//-}.test" -test.v=test2json -test.run 'Modes|SiteKey|Socket') | go tool test2json -p "$package as nobody"
  done > "$out/nobody.json"
}
results=("$out/go.json" "$out/stories.json" "$out/app.json" "$out/web.tap" "$out/e2e.tap")
if [ "$(id -u)" -eq 0 ]; then
  echo "== file modes, as nobody"
  as_nobody store origin internal/admin
  results+=("$out/nobody.json")
fi

echo "== stories of a swarm"
go test -json -run TestStories ./internal/swarmtest > "$out/stories.json" || true

echo "== the desktop program, on a screen and a bus of its own"
go test -json -timeout 15m ./internal/apptest > "$out/app.json" || true

echo "== TypeScript tests"
go run ./web/bundle -tests "$out/web" && node --test --test-reporter=tap "$out"/web/*.test.mjs > "$out/web.tap" || true

echo "== browsers"
(cd e2e && node --test --test-concurrency=1 --test-timeout=900000 --test-reporter=tap ./*.test.mjs) > "$out/e2e.tap" || true

go run ./internal/tally "${results[@]}" || failed=1
exit $failed
