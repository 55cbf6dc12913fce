#!/usr/bin/env bash
# govulncheck: no finding that our code calls, outside scripts/vuln-allow.txt
# (one id a line, with the date until which it holds and the reason).
# TUBER_VULNDB names a database as .tar.xz or URL; without it the public one is asked.
set -uo pipefail
cd "$(dirname "$0")/.."
. scripts/tags.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
db=()
case "${TUBER_VULNDB:-}" in
  "") ;;
  *.tar.xz)
    tar -xJf "$TUBER_VULNDB" -C "$work"
    root=$(dirname "$(dirname "$(find "$work" -path '*/index/db.json' | head -n 1)")")
    db=(-db "file://$root") ;;
  *) db=(-db "$TUBER_VULNDB") ;;
esac
go run golang.org/x/vuln/cmd/govulncheck@v1.9.0 "${db[@]}" -tags "$TUBER_TEST_TAGS" -format json ./... > "$work/out.json" || { cat "$work/out.json" | tail -n 5; exit 1; }
called=$(go run ./scripts/called < "$work/out.json") || exit 1
today=$(date +%F)
bad=0
for id in $called; do
  until=$(awk -v id="$id" '$1 == id { print $2 }' scripts/vuln-allow.txt)
  if [ -z "$until" ] || [[ "$until" < "$today" ]]; then
    echo "$id is called by our code and not (or no longer) allowed by scripts/vuln-allow.txt"
    bad=1
  else
    echo "$id is called and allowed until $until"
  fi
done
[ $bad -eq 0 ] && echo "no unallowed vulnerability is called"
exit $bad
