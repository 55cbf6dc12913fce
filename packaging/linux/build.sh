#!/usr/bin/env bash
# Builds the Linux packages into dist/: .deb, .rpm and .tar.xz for this machine's
# kind of processor, with the window, and .tar.xz and .deb without it for arm64.
set -euo pipefail
cd "$(dirname "$0")/../.."
. packaging/env.sh
need gcc gcc xz xz-utils gzip gzip
nfpm() { go run github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2 "$@"; }

app=io.github.tubercdn.tuber
work=$DIST/work/linux
rm -rf "$work"
mkdir -p "$work"

# doc ROOT PACKAGE PROGRAM...: what every package says of itself.
doc() {
  local at=$1/usr/share/doc/$2
  shift 2
  mkdir -p "$at"
  cp packaging/linux/copyright "$at/copyright"
  go run ./packaging/licences "$@" | gzip -9n > "$at/third-party-licences.txt.gz"
  sed -e "s/VERSION/${VERSION/-/\~}/" -e "s/DATE/$(date -R -d "@$SOURCE_DATE_EPOCH")/" -e "s/PACKAGE/$(basename "$at")/" \
    packaging/linux/changelog.in | gzip -9n > "$at/changelog.gz"
}

# stage_headless ROOT ARCH: tuber with manual, completions and units.
stage_headless() {
  local root=$1
  mkdir -p "$root"/usr/{bin,lib/systemd/user,lib/systemd/system} "$root"/usr/share/{man/man1,bash-completion/completions,zsh/vendor-completions,fish/vendor_completions.d}
  headless linux "$2" "$root/usr/bin/tuber"
  go run ./packaging/manual "$VERSION" "$work/manual"
  gzip -9n < "$work/manual/tuber.1" > "$root/usr/share/man/man1/tuber.1.gz"
  cp "$work/manual/tuber.bash" "$root/usr/share/bash-completion/completions/tuber"
  cp "$work/manual/_tuber" "$root/usr/share/zsh/vendor-completions/_tuber"
  cp "$work/manual/tuber.fish" "$root/usr/share/fish/vendor_completions.d/tuber.fish"
  cp packaging/systemd/tuber-boost.service "$root/usr/lib/systemd/user/"
  cp packaging/systemd/tuber-host.service "$root/usr/lib/systemd/system/"
  doc "$root" tuber "$root/usr/bin/tuber"
}

# stage_app ROOT: the desktop program with manual, completions, icons, menu entry
# and metainfo.
stage_app() {
  local root=$1 size
  mkdir -p "$root"/usr/bin "$root"/usr/share/{applications,metainfo,man/man1,icons/hicolor/scalable/apps,bash-completion/completions,zsh/vendor-completions,fish/vendor_completions.d}
  CGO_ENABLED=1 go build $TUBER_APP_FLAGS \
    -ldflags "$(link_flags -extldflags=-Wl,-z,relro,-z,now)" -o "$root/usr/bin/tuber-app" ./cmd/tuber-app
  cp packaging/linux/$app.desktop "$root/usr/share/applications/"
  sed -e "s/VERSION/$VERSION/" -e "s/DATE/$(date -d "@$SOURCE_DATE_EPOCH" +%F)/" \
    packaging/linux/$app.metainfo.xml.in > "$root/usr/share/metainfo/$app.metainfo.xml"
  sed "s/VERSION/$VERSION/" packaging/linux/tuber-app.1.in | gzip -9n > "$root/usr/share/man/man1/tuber-app.1.gz"
  cp packaging/linux/completions/tuber-app.bash "$root/usr/share/bash-completion/completions/tuber-app"
  cp packaging/linux/completions/_tuber-app "$root/usr/share/zsh/vendor-completions/"
  cp packaging/linux/completions/tuber-app.fish "$root/usr/share/fish/vendor_completions.d/"
  for size in 16 22 24 32 48 64 128 256 512; do
    mkdir -p "$root/usr/share/icons/hicolor/${size}x$size/apps"
    cp "icons/dist/tuber-$size.png" "$root/usr/share/icons/hicolor/${size}x$size/apps/$app.png"
  done
  cp icons/source/tuber.svg "$root/usr/share/icons/hicolor/scalable/apps/$app.svg"
  doc "$root" tuber-app "$root/usr/bin/tuber-app"
}

# pack NAME ARCH ROOT KIND...: by nfpm.
pack() {
  local name=$1 arch=$2 root=$3 kind
  shift 3
  one_time "$root"
  for kind in "$@"; do
    ARCH=$arch ROOT=$root nfpm package --config "packaging/linux/$name.yaml" --packager "$kind" --target "$DIST" >/dev/null
  done
}

# tarball ARCH ROOT...: what install.sh needs.
tarball() {
  local arch=$1 root at
  shift
  at=$work/tuber-$VERSION-linux-$arch
  mkdir -p "$at/files"
  for root in "$@"; do cp -a "$root/usr/." "$at/files/"; done
  rm -rf "$at/files/lib/systemd/system" # install.sh serves one user
  cp packaging/linux/install.sh packaging/linux/uninstall.sh LICENSE "$at/"
  chmod 755 "$at/install.sh" "$at/uninstall.sh"
  tar_xz "$at" "$DIST/tuber-$VERSION-linux-$arch.tar.xz"
}

stage_headless "$work/tuber-amd64" amd64
stage_headless "$work/tuber-arm64" arm64
stage_app "$work/app"
pack tuber amd64 "$work/tuber-amd64" deb rpm
pack tuber arm64 "$work/tuber-arm64" deb rpm
pack tuber-app amd64 "$work/app" deb rpm
tarball amd64 "$work/tuber-amd64" "$work/app"
tarball arm64 "$work/tuber-arm64"
ls -l "$DIST"/*.deb "$DIST"/*.rpm "$DIST"/*linux*.tar.xz
