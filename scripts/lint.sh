#!/usr/bin/env bash
# Marks of a merge, gofmt, go vet, staticcheck, tsc --strict, for every system that is built for.
set -uo pipefail
cd "$(dirname "$0")/.."
. scripts/tags.sh
bad=0
merging=$(git grep -nE '^(<{7}|>{7}) ')
[ -z "$merging" ] || { echo "left from a merge: $merging"; bad=1; }
unformatted=$(gofmt -l $(git ls-files '*.go'))
[ -z "$unformatted" ] || { echo "gofmt would change: $unformatted"; bad=1; }
go vet -tags "$TUBER_TEST_TAGS" ./... || bad=1
go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 -tags "$TUBER_TEST_TAGS" ./... || bad=1
for os in windows darwin; do
  GOOS=$os CGO_ENABLED=0 go build -trimpath -o /dev/null ./cmd/tuber || { echo "does not build for $os"; bad=1; }
done
(cd web && ./node_modules/.bin/tsc --noEmit -p .) || bad=1
exit $bad
