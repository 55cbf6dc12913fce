#!/usr/bin/env bash
# sign.sh FILE: signs a Windows program in place, by CERT and KEY.
set -euo pipefail
more=()
[ -n "${TIMESTAMP:-}" ] && more=(-ts "$TIMESTAMP")
osslsigncode sign -certs "$CERT" -key "$KEY" -h sha256 -n Tuber -i https://github.com/tubercdn/tuber \
  ${SOURCE_DATE_EPOCH:+-time "$SOURCE_DATE_EPOCH"} "${more[@]}" -in "$1" -out "$1.signed" >/dev/null
mv "$1.signed" "$1"
