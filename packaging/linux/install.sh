#!/bin/sh
# Installs Tuber for you alone, below ~/.local (or PREFIX). No root needed.
# ~/.local/share/tuber-install/uninstall.sh takes it all away again.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
prefix=${PREFIX:-$HOME/.local}
share=$prefix/share
mine=$share/tuber-install
[ "$(id -u)" -ne 0 ] || echo "note: this installs for root alone; the .deb and .rpm serve all users" >&2

mkdir -p "$mine"
list=$mine/files.new
: > "$list"

# put FROM TO MODE: copies one file, by way of a new one, so that a program that
# runs is not written into, and remembers it.
put() {
  mkdir -p "$(dirname -- "$2")"
  cp -- "$1" "$2.new"
  chmod "$3" "$2.new"
  mv -f -- "$2.new" "$2"
  printf '%s\n' "$2" >> "$list"
}

cd "$here/files"
for program in bin/*; do put "$program" "$prefix/$program" 755; done
find share -type f | while IFS= read -r file; do
  case $file in
    share/zsh/vendor-completions/*) put "$file" "$share/zsh/site-functions/${file##*/}" 644 ;;
    *) put "$file" "$prefix/$file" 644 ;;
  esac
done
put lib/systemd/user/tuber-boost.service "$share/systemd/user/tuber-boost.service" 644

# Sessions seldom have ~/.local/bin in their path: programs are named in full.
quoted=$(printf '%s' "$prefix" | sed 's/[&\\|]/\\&/g')
edit() { sed "$1" "$2" > "$2.new" && mv -f -- "$2.new" "$2"; }
edit "s|^ExecStart=/usr/bin/tuber|ExecStart=\"$quoted/bin/tuber\"|" "$share/systemd/user/tuber-boost.service"
entry=$share/applications/io.github.tubercdn.tuber.desktop
if [ -f "$entry" ]; then
  edit "s|^Exec=tuber-app|Exec=\"$quoted/bin/tuber-app\"|; s|^TryExec=.*|TryExec=$quoted/bin/tuber-app|" "$entry"
fi
put "$here/uninstall.sh" "$mine/uninstall.sh" 755
edit "s|^prefix=.*|prefix='$(printf '%s' "$prefix" | sed "s/'/'\\\\''/g; s/[&\\|]/\\\\&/g")'|" "$mine/uninstall.sh"
chmod 755 "$mine/uninstall.sh"

# What an older version had and this one has not goes.
if [ -f "$mine/files" ]; then
  while IFS= read -r file; do
    grep -qxF -- "$file" "$list" || rm -f -- "$file"
  done < "$mine/files"
fi
mv -f -- "$list" "$mine/files"

refresh() { command -v "$1" >/dev/null 2>&1 && "$@" >/dev/null 2>&1 || true; }
refresh update-desktop-database "$share/applications"
refresh gtk-update-icon-cache -q -t -f "$share/icons/hicolor"
refresh systemctl --user daemon-reload

echo "Tuber is installed in $prefix."
case :$PATH: in *:"$prefix/bin":*) ;; *) echo "$prefix/bin is not in your PATH: open Tuber from the menu, or add it there." ;; esac
echo "To take it away: $mine/uninstall.sh"
