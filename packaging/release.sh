#!/usr/bin/env bash
# Builds all packages of a release and vouches for them.
#
#   release.sh VERSION KEYFILE
#
# KEYFILE is an Ed25519 key in PEM, as openssl genpkey -algorithm ed25519 makes.
# The programs know its public half, and believe later releases by it alone.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ $# -ne 2 ] || [ -z "$1" ] || [ -z "$2" ]; then
  echo "make release VERSION=1.2.3 KEY=release.pem: both are needed" >&2
  exit 2
fi
export VERSION=$1
RELEASE_KEY=$(go run ./packaging/sign public "$2")
export RELEASE_KEY
DIST=${DIST:-dist}
export DIST
. packaging/env.sh
find "$DIST" -maxdepth 1 -type f -delete # of earlier releases
# Linkers and compressors use one processor each: two builds side by side.
(packaging/linux/build.sh && packaging/headless.sh) &
CERT=${CERT:-} KEY=${CERT_KEY:-} packaging/windows/build.sh &
wait -n && wait -n || { kill $(jobs -p) 2>/dev/null || true; wait; exit 1; }
go run ./packaging/sign sums "$DIST"
go run ./packaging/sign sign "$2" "$DIST"
go run ./packaging/sign verify "$RELEASE_KEY" "$DIST"
echo "$DIST is release $VERSION, signed; its key is $RELEASE_KEY"
