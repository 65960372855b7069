# SPDX-License-Identifier: Apache-2.0
# Through a forwarding hop of MTU 1500: estab and its TUN here, the kernel as the far end in a
# namespace behind a veth. A router refuses what straight from a TUN to the kernel passes. The
# second argument is the program that makes clients by hand, the third counts segments on a wire.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/raw_peers.sh"
count=$3

far=far-$$
ip netns add $far 2>netns.txt || { echo "skipped: $(cat netns.txt)"; exit 77; }
trap 'kill $(jobs -p) $(ip netns pids $far) 2>/dev/null || true; ip netns del $far' EXIT
there() { ip netns exec $far "$@"; }
# What passes the veth is cut to what a wire would carry.
ip link add far gso_max_segs 1 mtu 1500 type veth peer name near netns $far gso_max_segs 1 mtu 1500
ip address add 10.99.0.1/24 dev far
ip address add fd99::1/64 dev far nodad
ip link set far up
there ip address add 10.99.0.2/24 dev near
there ip address add fd99::2/64 dev near nodad
there ip link set near up
there ip link set lo up
there ip route add default via 10.99.0.1
there ip route add default via fd99::1
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1

# How often the router found a datagram too large.
refused() {
  awk '$1 == "Ip:" && !n { for (i = 1; i <= NF; ++i) if ($i == "FragFails") n = i; next }
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
listening_there() { there ss -Htln "sport = $1" | grep -q LISTEN; }

random_file up "$(mebibytes 4 64)"
random_file down "$(mebibytes 4 64)"
port=7000
# both_ways PEER ESTAB ARGUMENT…: a transfer each way at once.
both_ways() {
  local to=$1 from=$2 counter peer full
  shift 2
  port=$((port + 1))
  there "$count" near "$from" >counted &
  counter=$!
  wait_for "the counter" grep -q counting counted
  both_ways_peer "$to" $port down up.copy &
  peer=$!
  wait_for "the peer" listening_there $port
  timeout 500 "$estab" connect "$to" $port "$@" <up >down.copy || fail "$to $*"
  wait $peer
  same up up.copy
  same down down.copy
  kill -INT $(ip netns pids $far | grep -v "^$peer\$")
  wait $counter
  [[ $(refused) == 0 ]] || fail "$to $*: too large for the router: $(refused)"
  full=$(tail -n 1 counted | tr '= ' '  ' | awk '{ print ($2 > 100 && $4 >= 0.95 * $2) }')
  [[ $full == 1 ]] || fail "$to $*: segments that are not full: $(tail -n 1 counted)"
}
for seed in 1 $(mebibytes '' '2 3'); do
  both_ways 10.99.0.2 10.77.0.2 --impair loss=1%,duplicate=1%,reorder=5%,seed=$seed
  both_ways fd99::2 fd00:77::2 --impair loss=1%,duplicate=1%,reorder=5%,seed=$seed
done
both_ways 10.99.0.2 10.77.0.2
both_ways fd99::2 fd00:77::2

# An answer beside a hole: each of its segments carries SACK.
mkdir www
head -c 65536 /dev/urandom >www/small
start serve --http www
for group in '10.77.0.2:8080 60 hole:3:10.88.0.0/16:/small:1000000' \
  '[fd00:77::2]:8080 60 hole:3:[fd88::/64]:/small:1000000'; do
  crowd $group
  [[ $(of hole ended) == 3 ]] || fail "an answer beside a hole: $(tail -n 1 crowd)"
  [[ $(refused) == 0 ]] || fail "an answer beside a hole is too large for the router"
done
stop
