#!/bin/sh
# Takes away what install.sh put there. What Tuber has kept (keys, settings,
# chunks) stays, unless you say so: uninstall.sh --purge deletes it unasked,
# --keep leaves it unasked.
set -eu
prefix=$HOME/.local
share=$prefix/share
mine=$share/tuber-install
config=${XDG_CONFIG_HOME:-$HOME/.config}
state=${XDG_STATE_HOME:-$HOME/.local/state}
cache=${XDG_CACHE_HOME:-$HOME/.cache}
id=io.github.tubercdn.tuber

case ${1:-} in
  ''|--purge|--keep) ;;
  *) echo "uninstall.sh: $1? Write --purge, --keep or nothing." >&2; exit 2 ;;
esac
if [ ! -f "$mine/files" ]; then
  echo "There is no Tuber in $prefix that install.sh put there." >&2
  exit 1
fi

# Programs that run from here are asked to end, and waited for.
if command -v systemctl >/dev/null 2>&1; then
  systemctl --user disable --now tuber-boost.service >/dev/null 2>&1 || true
fi
running() {
  for exe in /proc/[0-9]*/exe; do
    case $(readlink "$exe" 2>/dev/null) in
      "$prefix/bin/tuber"|"$prefix/bin/tuber-app") pid=${exe#/proc/}; echo "${pid%/exe}" ;;
    esac
  done
}
for pid in $(running); do kill "$pid" 2>/dev/null || true; done
tries=0
while [ -n "$(running)" ] && [ $tries -lt 20 ]; do sleep 0.5; tries=$((tries + 1)); done
for pid in $(running); do kill -9 "$pid" 2>/dev/null || true; done

while IFS= read -r file; do
  rm -f -- "$file"
  folder=$(dirname -- "$file")
  while [ "$folder" != "$prefix" ] && rmdir -- "$folder" 2>/dev/null; do folder=$(dirname -- "$folder"); done
done < "$mine/files"
rm -f -- "$mine/files" "$config/autostart/$id.desktop"
rmdir -- "$mine" 2>/dev/null || true

refresh() { [ -d "$2" ] && command -v "$1" >/dev/null 2>&1 && "$@" >/dev/null 2>&1 || true; }
if [ -d "$share/applications" ]; then
  refresh update-desktop-database "$share/applications"
  # a cache of nothing goes with the folder
  if [ "$(cd "$share/applications" && echo *)" = mimeinfo.cache ]; then rm -f -- "$share/applications/mimeinfo.cache"; rmdir -- "$share/applications"; fi
fi
if [ -d "$share/icons/hicolor" ]; then
  if [ "$(cd "$share/icons/hicolor" && echo *)" = icon-theme.cache ]; then
    rm -f -- "$share/icons/hicolor/icon-theme.cache"; rmdir -p -- "$share/icons/hicolor" 2>/dev/null || true
  elif [ -f "$share/icons/hicolor/icon-theme.cache" ] && command -v gtk-update-icon-cache >/dev/null 2>&1; then
    gtk-update-icon-cache -q -t -f "$share/icons/hicolor" || true
  fi
fi
command -v systemctl >/dev/null 2>&1 && systemctl --user daemon-reload >/dev/null 2>&1 || true

answer=${1:-}
if [ -z "$answer" ] && [ -t 0 ]; then
  printf 'Delete what Tuber kept too: keys, memberships, settings, chunks? [y/N] '
  read -r answer
fi
case $answer in
  --purge|y|Y|yes)
    rm -rf -- "$state/tuber" "$config/tuber" "$config/fyne/$id" "$cache/fyne/$id"
    rmdir -- "$config/fyne" "$cache/fyne" 2>/dev/null || true
    echo "Tuber and all that it kept are gone." ;;
  *) echo "Tuber is gone. What it kept is still in $state/tuber and $config/tuber." ;;
esac
