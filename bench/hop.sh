#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# estab and the kernel through a forwarding hop of MTU 1500: a namespace that routes between estab's
# TUN and a veth. Transfers both ways at once over a network that harms, by three seeds, IPv4 and
# IPv6; then a GET while one byte of the client is held out of order.
#   bench/hop.sh [MEBIBYTES]     (as root; default 64)
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
size=${1:-64}
begin perl cmp
make_hop
head -c "$((size << 20))" /dev/urandom >"$folder/up"
head -c "$((size << 20))" /dev/urandom >"$folder/down"

# How often a router has said that a datagram was too large: IpFragFails (IPv4: each of them sends a
# "fragmentation needed"), Ip6FragFails and Icmp6OutPktTooBigs, as one sum.
refused() {
  here awk '$1 == "Ip:" && !n { for (i = 1; i <= NF; ++i) if ($i == "FragFails") n = i; next }
            $1 == "Ip:" { sum += $n } $1 ~ /^(Ip6FragFails|Icmp6OutPktTooBigs)$/ { sum += $2 }
            END { print sum + 0 }' /proc/net/snmp /proc/net/snmp6
}
# A peer of the kernel that sends a file and takes another at once, on ADDRESS and PORT. nc -l would
# leave when our end comes before its own.
both_ways_peer() {
  there perl -MIO::Socket::IP -e '
    ($host, $port, $down, $up) = @ARGV;
    $gate = IO::Socket::IP->new(Listen => 1, LocalHost => $host, LocalPort => $port) or die $!;
    $peer = $gate->accept;
    if (!($child = fork)) {
      open $from, "<", $down;
      print $peer $_ while read $from, $_, 65536;
      $peer->flush;
      shutdown $peer, 1;
      exit;
    }
    open $to, ">", $up;
    print $to $_ while sysread $peer, $_, 65536;
    waitpid $child, 0;' "$@"
}
port=7000
# both_ways NAME PEER ESTAB HARM: the figures of one transfer each way at once.
both_ways() {
  local name=$1 to=$2 from=$3 harm=$4 before began counter peer
  port=$((port + 1))
  before=$(refused)
  there "$programs/estab_raw_count" near "$from" >"$folder/count" &
  counter=$!
  wait_for "the counter" grep -q counting "$folder/count"
  both_ways_peer "$to" $port "$folder/down" "$folder/up.copy" &
  peer=$!
  wait_for "the peer" there sh -c "ss -Htln 'sport = $port' | grep -q LISTEN"
  began=$(date +%s%N)
  here timeout 900 "$estab" connect "$to" $port ${harm:+--impair $harm} <"$folder/up" \
    >"$folder/down.copy" || true
  wait $peer || true
  kill -INT $(ip netns pids "$far" | while read -r pid; do
    [[ $(<"/proc/$pid/comm") == estab_raw_count ]] && echo "$pid"; done)
  wait $counter || true
  awk -v name="$name" -v t="$(($(date +%s%N) - began))" 'BEGIN { print name ": " t / 1e9 " s" }'
  check "$name: files that arrived as sent" \
    "$(for f in up down; do cmp -s "$folder/$f" "$folder/$f.copy" && echo 1; done | wc -l)" == 2
  check "$name: datagrams that the router found too large" $(($(refused) - before)) == 0
  check "$name: data segments with payload + options = MSS, %" \
    "$(tail -n 1 "$folder/count" | tr '= ' '  ' | awk '{ print $2 ? 100 * $4 / $2 : 0 }')" '>=' 95
  check "$name: the largest datagram on the wire, bytes" \
    "$(tail -n 1 "$folder/count" | sed -E 's/.*largest=([0-9]+).*/\1/')" '<=' 1500
}
both_ways "IPv4, no harm" 10.99.0.2 10.77.0.2 ''
both_ways "IPv6, no harm" fd99::2 fd00:77::2 ''
for seed in 1 2 3; do
  both_ways "IPv4, seed $seed" 10.99.0.2 10.77.0.2 "loss=1%,duplicate=1%,reorder=5%,seed=$seed"
  both_ways "IPv6, seed $seed" fd99::2 fd00:77::2 "loss=1%,duplicate=1%,reorder=5%,seed=$seed"
done

mkdir "$folder/www"
head -c 65536 /dev/urandom >"$folder/www/small"
serve --http "$folder/www"
peers 30 hole:1:10.88.0.0/16:/small:1000000
before=$(refused)
wait $crowd || true
check "GET of 64 KiB with a byte out of order: too large" $(($(refused) - before)) '==' 0
check "GET of 64 KiB with a byte out of order: ended" "$(peer hole ended)" == 1
check "GET of 64 KiB with a byte out of order: seconds" "$(peer hole slowest)" '<=' 2
exit $failed
