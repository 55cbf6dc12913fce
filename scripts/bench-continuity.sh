#!/usr/bin/env bash
# Tells the stories of internal/swarmtest one by one, ROUNDS times, and prints
# for each what viewers were owed, what was late, and what had to come by HTTP.
set -euo pipefail
cd "$(dirname "$0")/.."
go test ./internal/swarmtest -run 'TestStories' -parallel 1 -count "${ROUNDS:-3}" -v |
  awk '
    /^=== (RUN|CONT)/ { name = $3; sub(/.*\//, "", name); gsub(/_/, " ", name) }
    / chunks owed to viewers, / {
      for (i = 2; i <= NF; i++) {
        if ($i == "chunks") n = $(i - 1)
        if ($i == "fetched") h = $(i - 1)
        if ($i == "late") l = $(i - 1)
      }
      if (!(name in owed)) order[++stories] = name
      owed[name] += n; http[name] += h; late[name] += l
    }
    /^--- FAIL/ { failed = 1 }
    END {
      print "| story | chunks owed | late | by HTTP |\n|---|---|---|---|"
      for (i = 1; i <= stories; i++) {
        s = order[i]; all += owed[s]; bad += late[s]
        printf "| %s | %d | %.3f %% | %.1f %% |\n", s, owed[s], 100 * late[s] / owed[s], 100 * http[s] / owed[s]
      }
      if (stories == 0) exit 1
      printf "continuity ratio %.5f\n", bad / all
      exit failed
    }'
