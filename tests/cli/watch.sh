# SPDX-License-Identifier: Apache-2.0
# estab watch: a kernel's server, real clients and a forged flood over a veth, seen on the
# interface, in its capture and by the kernel's half-open records; a crowd; and bad input.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
peer=$2

# Another namespace behind a veth. It answers nothing that comes to the flood's sources.
unshare --net sleep 1000 &
far=$!
apart() { [[ $(readlink "/proc/$far/ns/net") != $(readlink /proc/self/ns/net) ]]; }
wait_for "a second namespace" apart
there() { nsenter --net="/proc/$far/ns/net" "$@"; }
ip link add near type veth peer name far
ip link set far netns "$far"
ip addr add 10.99.0.1/24 dev near
ip link set near up
there ip addr add 10.99.0.2/24 dev far
there ip link set far up
ip route add 198.18.0.0/15 via 10.99.0.2

mkfifo keep
exec {open}<>keep
"$peer" accept 10.99.0.1 80 512 <&"$open" >held &
wait_for "the server" grep -q ready held

# watching NAME ARGUMENT…: until finished(), into NAME.log.
watching() {
  local name=$1
  shift
  "$estab" watch "$@" --log - >"$name.log" 2>"$name.errors" &
  watchers+=("$!")
  wait_for "estab watch $*" grep -q '^# estab watch of' "$name.log"
}
finished() {
  local watcher status
  for watcher in "${watchers[@]}"; do
    status=0
    kill -INT "$watcher"
    wait "$watcher" || status=$?
    ((status == 0)) || fail "watching ended with $status"
  done
  watchers=()
}
watchers=()
lines() { grep -v '^#' "$1" || true; }
key_of() { sed -n '1s/.*--key //p' "$1"; }
says_flood() { grep -q "listener=$2 verdict=spoofed-flood attack=yes" "$1"; }
no_attack() { ! grep -q 'attack=yes' "$1" || fail "an attack in $1: $(grep attack=yes "$1")"; }

# A crowd of real clients is called no attack, by anybody.
watching crowd --interface near
watching crowd_kernel --kernel
there "$peer" visit 10.99.0.1 80 60 20
there "$peer" visit 10.99.0.1 80 2400 400
sleep 4.5
finished
no_attack crowd.log
no_attack crowd_kernel.log
seen='packets seen of interface near, passed over (none|[0-9]+ no TCP); lost 0;'
grep -Eq "^estab: [0-9]{4,} $seen" crowd.errors || fail "the summary: $(cat crowd.errors)"

# A flood beside clients.
watching live --interface near --capture seen.pcapng
watching any --interface any
watching kernel --kernel
there "$peer" visit 10.99.0.1 80 260 20 &
there "$peer" pour 10.99.0.1 80 2400 300
flooded() {
  says_flood live.log 10.99.0.1:80 && says_flood any.log 10.99.0.1:80 &&
    says_flood kernel.log 10.99.0.1:80
}
wait_for "three verdicts" flooded
finished
grep 'spoofed-flood' live.log | grep -q ' knows=matched,proven,answers,repeats,resets,data syns=' ||
  fail "the evidence: $(cat live.log)"
grep 'spoofed-flood' kernel.log | grep -Eq 'half_open=[0-9]+ half_open_limit=512 ' ||
  fail "the kernel's evidence: $(cat kernel.log)"

# The capture says the same, to the octet, as often as it is played.
key=$(key_of live.log)
"$estab" watch seen.pcapng --key "$key" --log first.log 2>errors >printed || fail "the replay"
[[ ! -s printed ]] || fail "with --log FILE it prints: $(cat printed)"
"$estab" watch seen.pcapng --key "$key" >second.log 2>errors || fail "the second replay"
same first.log second.log
lines live.log >live.lines
lines first.log | head -n "$(wc -l <live.lines)" >first.lines
same live.lines first.lines
"$estab" watch seen.pcapng --once >printed 2>errors || fail "--once"
grep -q '10.99.0.1:80' printed || fail "--once shows no listener: $(cat printed)"
"$estab" watch seen.pcapng --listener :81 >other.log 2>errors || fail "--listener"
no_attack other.log
"$estab" watch seen.pcapng --listener :80 >other.log 2>errors || fail "--listener"
says_flood other.log 10.99.0.1:80 || fail "--listener leaves it out: $(cat other.log)"

# Classic pcap, Ethernet, headers alone, the way to the server alone; tcpdump makes them if it can.
if command -v tcpdump >/dev/null && tcpdump -r seen.pcapng -w one_way.pcap dst host 10.99.0.1 \
  2>/dev/null; then
  "$estab" watch one_way.pcap >one_way.log 2>one_way.errors || fail "one way"
  says_flood one_way.log 10.99.0.1:80 || fail "one way says: $(cat one_way.log)"
  grep -q 'not proven' one_way.log || fail "it does not say that completions are not proven"
  grep -q 'no SYN-ACK: only the way to the server' one_way.errors || fail "one way is not noted"
fi

# What is cut short is read so far; what is none is refused.
size=$(stat -c %s seen.pcapng)
head -c $((size - 7)) seen.pcapng >cut.pcapng
"$estab" watch cut.pcapng >cut.log 2>errors || fail "a capture that is cut short"
grep -q "cut short: it was read up to octet [0-9]* of $((size - 7))" errors || fail "it is not said"
says_flood cut.log 10.99.0.1:80 || fail "it was not read so far"
echo "not a capture, but some text that somebody gave for one" >text
expect_failure 1 'text is no capture: it is neither pcapng nor pcap' "$estab" watch text
: >empty
expect_failure 1 'empty is no capture' "$estab" watch empty
expect_failure 1 'cannot read missing: No such file' "$estab" watch missing
expect_failure 1 'cannot read .*: it is no file' "$estab" watch .

# Interfaces: one that is not there, one that goes down and comes back, no permission.
expect_failure 1 'there is no interface eth7; there are .*near.*any for all' \
  "$estab" watch --interface eth7
if command -v setpriv >/dev/null; then
  expect_failure 1 'run as root.*CAP_NET_RAW' setpriv --bounding-set -all --inh-caps -all -- \
    "$estab" watch --interface near
fi
expect_failure 1 'sock_diag' "$peer" forbid "$estab" watch --kernel
watching back --interface near
ip link set near down
ip link set near up
ip route replace 198.18.0.0/15 via 10.99.0.2
there "$peer" visit 10.99.0.1 80 20 20
there "$peer" pour 10.99.0.1 80 1800 300
wait_for "a verdict after it was down" says_flood back.log 10.99.0.1:80
finished

# One that is removed and made anew.
make_pair() {
  ip link add one type veth peer name two
  ip addr add 10.98.0.1/24 dev one
  ip link set one up
  ip link set two up
  ip neigh add 10.98.0.9 lladdr 02:00:00:00:00:09 dev one
}
make_pair
watching gone --interface one
ip link del one
sleep 1
make_pair
sleep 1
timeout 2 bash -c ': <>/dev/tcp/10.98.0.9/80' 2>/dev/null || true
finished
grep -q 'SYNs came by and no SYN-ACK' gone.errors || fail "it saw nothing: $(cat gone.errors)"

# estab ss --kernel: from where it is half-open; with --verdict and --watch, what it is.
"$estab" ss --kernel -l >printed
grep -Eq '^10.99.0.1:80 .*; half-open from [0-9]+ sources? in [0-9]+ prefix(es)?$' printed ||
  fail "the spread: $(cat printed)"
there "$peer" pour 10.99.0.1 80 3000 300 &
"$estab" ss --kernel -l --watch 1 >watched 2>errors &
watchers+=("$!")
wait_for "a verdict of ss --watch" grep -Eq '^10.99.0.1:80 .*: spoofed flood' watched
finished
expect_failure 2 'verdict is for the kernel' "$estab" ss --verdict

# What makes no sense.
expect_failure 2 'one at a time' "$estab" watch seen.pcapng --kernel
expect_failure 2 "'fast' is no speed; such are" "$estab" watch seen.pcapng --speed fast
expect_failure 2 'speed is for a capture' "$estab" watch --kernel --speed 2
expect_failure 2 'capture writes what an interface' "$estab" watch --kernel --capture x
expect_failure 2 "'zz' is no key; such are 32" "$estab" watch seen.pcapng --key zz
expect_failure 2 "'web' is no listener; such are" "$estab" watch --kernel --listener web
expect_failure 1 'cannot write the log to /dev/full: No space' "$estab" watch seen.pcapng \
  --log /dev/full
