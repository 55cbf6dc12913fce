#!/usr/bin/env bash
# Builds the programs into bin/.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/tags.sh
go build -o bin/ ./cmd/tuber
CGO_ENABLED=1 go build $TUBER_APP_FLAGS -o bin/ ./cmd/tuber-app
