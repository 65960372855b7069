#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# nginx alone, and behind estab shield, over a veth between two network namespaces of its own, in
# turns; then, with --flood, behind the shield while hping3 floods it for 20 seconds.
#   bench/shield.sh [--rounds N] [--flood] [PATH/TO/estab]     (as root; nginx, ab and hping3)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
rounds=5 flood= estab=$root/build/release/estab
while (($# > 0)); do
  case $1 in
    --rounds) rounds=${2:?--rounds needs a number}; shift 2 ;;
    --flood)  flood=1; shift ;;
    -*)
      echo "shield.sh: no option is called $1; there are --rounds N and --flood" >&2
      exit 2 ;;
    *)        estab=$1; shift ;;
  esac
done
for program in nginx ab ${flood:+hping3}; do
  command -v "$program" >/dev/null || { echo "shield.sh: $program is not here" >&2; exit 2; }
done
[[ -x $estab ]] || { echo "shield.sh: there is no $estab; ./run demo builds it" >&2; exit 2; }
estab=$(realpath "$estab")

folder=$(mktemp -d) here=shield-$$ there=client-$$
finish() {
  # The jobs are subshells; what they started is known by its namespace.
  kill $(ip netns pids "$here"; ip netns pids "$there") 2>/dev/null || true
  wait 2>/dev/null || true
  ip netns del "$here" 2>/dev/null || true
  ip netns del "$there" 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT
ip netns add "$here"
ip netns add "$there"
server() { ip netns exec "$here" "$@"; }
client() { ip netns exec "$there" "$@"; }
ip link add shield netns "$here" type veth peer name client netns "$there"
server ip address add 10.9.0.1/24 dev shield
client ip address add 10.9.0.2/24 dev client
server ip link set lo up
server ip link set shield up
client ip link set client up
client ip route add default via 10.9.0.1
server ip route add default via 10.9.0.2  # What answers forged sources goes there, and ends.
server sysctl -qw net.ipv4.ip_forward=1

mkdir "$folder/www"
head -c 1048576 /dev/urandom >"$folder/www/large"
echo hello >"$folder/www/small"
cat >"$folder/nginx.conf" <<TEXT
daemon off; pid $folder/nginx.pid; error_log stderr; user root; worker_processes 1;
events { worker_connections 4096; }
http {
  access_log off; sendfile on;
  client_body_temp_path $folder/b; proxy_temp_path $folder/p; fastcgi_temp_path $folder/f;
  uwsgi_temp_path $folder/u; scgi_temp_path $folder/s;
  server { listen 0.0.0.0:8080 backlog=4096; root $folder/www; }
}
TEXT
server nginx -p "$folder" -c nginx.conf 2>"$folder/nginx.txt" &
XDG_RUNTIME_DIR=$folder server "$estab" shield --listen 10.77.0.2:80 --to 127.0.0.1:8080 \
  >"$folder/shield.txt" 2>&1 &
until client curl -s -o /dev/null http://10.77.0.2/small; do sleep 0.1; done

# requests COUNT AT-ONCE URL: requests a second; every failed one is told.
requests() {
  client ab -q -n "$1" -c "$2" "$3" 2>&1 | awk '
    /Requests per second/ { rate = $4 } /Failed requests/ { failed = $3 } /Non-2xx/ { failed += $3 }
    END {
      if (failed || rate == "") print "shield.sh: " failed " requests failed" >"/dev/stderr"
      print rate + 0
    }'
}
median() { sort -g | awk '{ v[NR] = $1 } END { printf "%.2f", v[int((NR + 1) / 2)] }'; }

row() {
  local name=$1 count=$2 at_once=$3 file=$4 round alone behind ratios=() alones=() behinds=()
  for ((round = 0; round < rounds; ++round)); do
    alone=$(requests "$count" "$at_once" "http://10.9.0.1:8080/$file")
    behind=$(requests "$count" "$at_once" "http://10.77.0.2/$file")
    alones+=("$alone") behinds+=("$behind")
    ratios+=("$(awk -v a="$alone" -v b="$behind" 'BEGIN { print (a > 0 ? b / a : 0) }')")
  done
  printf '%-24s nginx alone %10s   behind the shield %10s   requests/s, ratio %s\n' "$name" \
    "$(printf '%s\n' "${alones[@]}" | median)" "$(printf '%s\n' "${behinds[@]}" | median)" \
    "$(printf '%s\n' "${ratios[@]}" | median)"
}
echo "medians of $rounds rounds, in turns; the ratio: median of the rounds' ratios"
row "1 MiB, 16 at once" 1000 16 large
row "connections, 50 at once" 8000 50 small

if [[ -n $flood ]]; then
  client timeout 20 hping3 -q --flood --rand-source -S -p 80 10.77.0.2 >"$folder/hping3.txt" 2>&1 &
  flooding=$!
  sleep 1
  while kill -0 $flooding 2>/dev/null; do
    echo "beside the flood: $(requests 1000 20 http://10.77.0.2/small) requests/s"
  done
  grep 'packets transmitted' "$folder/hping3.txt" || true
  grep 'estab: ' "$folder/shield.txt" || true
fi
