#!/usr/bin/env bash
# Builds Windows' installer into dist/, by cross compiling.
#
# CERT and KEY (PEM files) sign program, uninstaller and installer with
# osslsigncode; TIMESTAMP is the address of a timestamp server, if wanted.
set -euo pipefail
cd "$(dirname "$0")/../.."
. packaging/env.sh
need x86_64-w64-mingw32-gcc gcc-mingw-w64-x86-64 makensis nsis
CERT=${CERT:-} KEY=${KEY:-} TIMESTAMP=${TIMESTAMP:-}
if [ -n "$CERT$KEY" ]; then
  need osslsigncode osslsigncode
  for file in "$CERT" "$KEY"; do
    [ -r "$file" ] || { echo "CERT and KEY belong together and are files: '$file' cannot be read" >&2; exit 2; }
  done
fi

work=$DIST/work/windows
rm -rf "$work"
mkdir -p "$work"
numbers=${VERSION%%-*}.0
program=$work/tuber-app.exe

# icon, version and manifest, beside the program for the linker and gone again after
resources=cmd/tuber-app/rsrc
trap 'rm -f "${resources}_windows_amd64.syso"' EXIT
go run github.com/tc-hib/go-winres@v0.3.3 make --in packaging/windows/winres.json --arch amd64 \
  --out "$resources" --file-version "$numbers" --product-version "$VERSION"
GOOS=windows GOARCH=amd64 CGO_ENABLED=1 CC=x86_64-w64-mingw32-gcc \
  go build -trimpath -tags "$TUBER_TAGS" -ldflags "$(link_flags -H=windowsgui)" -o "$program" ./cmd/tuber-app
go run ./packaging/licences "$program" > "$work/third-party-licences.txt"

define=()
if [ -n "$CERT" ]; then
  sign="$PWD/packaging/windows/sign.sh"
  export CERT KEY TIMESTAMP
  "$sign" "$program"
  define=(-DSIGN="$sign")
fi
one_time "$work"
makensis -V2 -NOCD -DVERSION="$VERSION" -DNUMBERS="$numbers" -DPROGRAM="$program" \
  -DLICENCES="$work/third-party-licences.txt" -DOUT="$DIST/Tuber-$VERSION-setup.exe" "${define[@]}" packaging/windows/tuber.nsi
ls -l "$DIST/Tuber-$VERSION-setup.exe"
