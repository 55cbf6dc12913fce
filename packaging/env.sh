# What all packages share, to be sourced in the repository's folder.
#
# VERSION            of the release, such as 1.2.3 or 1.2.3-rc1
# RELEASE_KEY        public key by which the app knows newer releases (empty: none)
# SOURCE_DATE_EPOCH  the one time that all packages bear (default: of the commit)
. scripts/tags.sh
VERSION=${VERSION:-0.0.0}
if ! [[ $VERSION =~ ^[0-9]{1,5}\.[0-9]{1,5}\.[0-9]{1,5}(-(alpha|beta|rc)[a-z0-9.]*)?$ ]]; then
  echo "VERSION=$VERSION: write three numbers, such as 1.2.3 or 1.2.3-rc1" >&2
  exit 2
fi
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
RELEASE_KEY=${RELEASE_KEY:-}
DIST=${DIST:-dist}
export VERSION SOURCE_DATE_EPOCH RELEASE_KEY TZ=UTC LC_ALL=C
umask 022
mkdir -p "$DIST"
DIST=$(cd "$DIST" && pwd)

# link_flags [MORE]: stripped, with version and release key.
link_flags() {
  local at=github.com/tubercdn/tuber/internal/release
  echo "-s -w -X $at.version=$VERSION -X $at.key=$RELEASE_KEY $*"
}

# need TOOL PACKAGE...: a missing tool is named with what brings it.
need() {
  while [ $# -gt 0 ]; do
    command -v "$1" >/dev/null || { echo "$1 is missing: sudo apt-get install --no-install-recommends $2" >&2; exit 2; }
    shift 2
  done
}

# one_time FOLDER: sets the time of everything in it.
one_time() { find "$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +; }

# tar_xz FOLDER FILE: packs FOLDER the same way every time.
tar_xz() {
  one_time "$1"
  tar -C "$(dirname "$1")" --sort=name --owner=0 --group=0 --numeric-owner --format=gnu -cf - "$(basename "$1")" |
    xz -6 -T1 > "$2"
}

# headless OS ARCH FILE: builds tuber, in pure Go.
headless() {
  local mode=exe
  [ "$1" = linux ] && mode=pie
  GOOS=$1 GOARCH=$2 CGO_ENABLED=0 go build -trimpath -buildmode="$mode" -ldflags "$(link_flags)" -o "$3" ./cmd/tuber
}
