#!/usr/bin/env bash
# What the benches need beside the tests' packages; as root it installs them.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/deps.sh
missing=()
for package in nginx-light caddy wrk openssl curl; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
rivals=bench/rivals
cmp -s $rivals/package-lock.json $rivals/node_modules/.tuber-lock ||
  { (cd $rivals && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) && cp $rivals/package-lock.json $rivals/node_modules/.tuber-lock; }
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ]; then
  echo "Some packages are missing: sudo apt-get install --no-install-recommends ${missing[*]}"
  exit 2
fi
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
