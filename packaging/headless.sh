#!/usr/bin/env bash
# Builds the headless program for Windows and macOS into dist/. Linux has it in
# its packages.
set -euo pipefail
cd "$(dirname "$0")/.."
. packaging/env.sh
need zip zip xz xz-utils
work=$DIST/work/headless
rm -rf "$work"
for os in darwin windows; do
  for arch in amd64 arm64; do
    name=tuber-$VERSION-$os-$arch
    program=tuber
    [ $os = windows ] && program=tuber.exe
    mkdir -p "$work/$name"
    headless $os $arch "$work/$name/$program"
    go run ./packaging/licences "$work/$name/$program" > "$work/$name/third-party-licences.txt"
    go run ./packaging/manual "$VERSION" "$work/$name/manual"
    cp LICENSE "$work/$name/"
    if [ $os = windows ]; then
      rm -r "$work/$name/manual"
      one_time "$work/$name"
      (cd "$work" && find "$name" -type f | sort | zip -q -X -@ - > "$name.zip")
      mv "$work/$name.zip" "$DIST/"
    else
      tar_xz "$work/$name" "$DIST/$name.tar.xz"
    fi
  done
done
ls -l "$DIST"/*darwin* "$DIST"/*windows*
