#!/usr/bin/env bash
# deps.sh [LIST...]: makes sure that what `make test` needs is there, and the
# packages of further lists. As root on Debian it installs what is missing;
# anybody else is told the exact line and exit status 2.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
while read -r package; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done < <(cat scripts/packages.txt "$@")

if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" -ne 0 ]; then
    echo "Some packages are missing. Install them and run it again:"
    echo "  sudo apt-get update && sudo apt-get install --no-install-recommends ${missing[*]}"
    exit 2
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
fi

for tool in go node npm; do
  if ! command -v "$tool" >/dev/null; then
    echo "$tool is missing: Tuber's tests need Go 1.26 and Node 20 with npm."
    exit 2
  fi
done

for folder in web e2e; do
  stamp="$folder/node_modules/.tuber-lock"
  if ! cmp -s "$folder/package-lock.json" "$stamp"; then
    (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    cp "$folder/package-lock.json" "$stamp"
  fi
done
