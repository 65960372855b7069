#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A download of 64 MiB at 100 Mbit/s from estab serve --http, alone, and while 10,000 segments a
# second are forged on its four numbers, by seeds, with timestamps and without. estab_raw_forge
# says what it forges, and what it leaves out.
#   bench/forged.sh [SEEDS [MEBIBYTES]]     (as root; curl; default 10 seeds, 64 MiB)
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
seeds=${1:-10} size=${2:-64}
begin curl cmp
mkdir "$folder/www"
head -c "$((size << 20))" /dev/urandom >"$folder/www/large"
serve --http "$folder/www" --impair rate=100mbit

# download: its seconds; nothing where it failed or is not what was served.
download() {
  local seconds
  rm -f "$folder/copy"
  seconds=$(here curl -sS --max-time 120 -o "$folder/copy" -w '%{time_total}' \
    "http://10.77.0.2:8080/large" 2>>"$folder/curl") || return 0
  if cmp -s "$folder/www/large" "$folder/copy"; then echo "$seconds"; fi
}
# forged SEED: the same under fire.
forged() {
  local forger
  here "$programs/estab_raw_forge" estab0 10.77.0.2:8080 10000 "$1" >"$folder/forge" &
  forger=$!
  wait_for "the forger" grep -q ready "$folder/forge"
  download
  kill -INT $(ip netns pids "$host" | while read -r pid; do
    [[ $(<"/proc/$pid/comm") == estab_raw_forge ]] && echo "$pid"; done) 2>/dev/null || true
  wait $forger || true
}
for timestamps in 1 0; do
  here sysctl -qw net.ipv4.tcp_timestamps=$timestamps
  alone=$(for i in 1 2 3; do download; done | sort -g | sed -n 2p)
  echo "timestamps $timestamps: alone $alone s"
  for ((seed = 1; seed <= seeds; ++seed)); do
    seconds=$(forged $seed)
    check "timestamps $timestamps, seed $seed: identical ($(tail -n 1 "$folder/forge"))" \
      "${seconds:+1}" == 1
    check "timestamps $timestamps, seed $seed: time / alone" \
      "${seconds:+$(awk -v a="$alone" -v b="$seconds" 'BEGIN { print b / a }')}" '<=' 1.3
  done
done
exit $failed
