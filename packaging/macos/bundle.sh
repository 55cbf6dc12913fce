#!/usr/bin/env bash
# Builds dist/Tuber.app and a .zip of it. To be run on a Mac with Go and Xcode's
# command line tools: the window needs Apple's compiler and headers.
#
#   packaging/macos/bundle.sh            build for this Mac
#   packaging/macos/bundle.sh --layout   everything but the program: to check the
#                                        bundle's layout on any system
#
# IDENTITY (as codesign -s takes it) signs; without it the bundle is signed ad
# hoc, and whoever downloads it has to allow it by hand (README).
set -euo pipefail
cd "$(dirname "$0")/../.."
VERSION=${VERSION:-0.0.0}
DIST=${DIST:-dist}
RELEASE_KEY=${RELEASE_KEY:-}
if ! [[ $VERSION =~ ^[0-9]{1,5}\.[0-9]{1,5}\.[0-9]{1,5}(-(alpha|beta|rc)[a-z0-9.]*)?$ ]]; then
  echo "VERSION=$VERSION: write three numbers, such as 1.2.3 or 1.2.3-rc1" >&2
  exit 2
fi
layout=false
case ${1:-} in
  '') ;;
  --layout) layout=true ;;
  *) echo "bundle.sh: $1? Write --layout or nothing." >&2; exit 2 ;;
esac
if ! $layout && [ "$(uname -s)" != Darwin ]; then
  echo "Tuber.app can be built on a Mac only. --layout makes the bundle without its program." >&2
  exit 2
fi

bundle=$DIST/Tuber.app
rm -rf "$bundle"
mkdir -p "$bundle/Contents/MacOS" "$bundle/Contents/Resources"
sed "s/NUMBERS/${VERSION%%-*}/" packaging/macos/Info.plist.in > "$bundle/Contents/Info.plist"
printf 'APPL????' > "$bundle/Contents/PkgInfo"
cp icons/dist/tuber.icns LICENSE "$bundle/Contents/Resources/"
$layout && exit 0

. scripts/tags.sh
at=github.com/tubercdn/tuber/internal/release
CGO_ENABLED=1 MACOSX_DEPLOYMENT_TARGET=12.0 go build -trimpath -tags "$TUBER_TAGS" \
  -ldflags "-s -w -X $at.version=$VERSION -X $at.key=$RELEASE_KEY" -o "$bundle/Contents/MacOS/tuber-app" ./cmd/tuber-app
go run ./packaging/licences "$bundle/Contents/MacOS/tuber-app" > "$bundle/Contents/Resources/third-party-licences.txt"
codesign --force --options runtime --sign "${IDENTITY:--}" "$bundle"
codesign --verify --strict "$bundle"
(cd "$DIST" && ditto -c -k --keepParent Tuber.app "Tuber-$VERSION-$(uname -m).zip")
echo "$DIST/Tuber-$VERSION-$(uname -m).zip"
