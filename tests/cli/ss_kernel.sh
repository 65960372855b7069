# SPDX-License-Identifier: Apache-2.0
# estab ss --kernel shows what ss shows, while nothing moves: every state, 500 connections (with
# ESTAB_LONG=1 5,000), and a half-open queue that SYNs over a veth have filled.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
peer=$2

# hold WORD ADDRESS PORT NUMBER: sockets of a program's, until the test ends; its pid is $holder.
mkfifo keep
exec {open}<>keep
hold() {
  : >held
  "$peer" "$@" <&"$open" >held 2>errors &
  holder=$!
  wait_for "ss_peer $*" grep -q ready held
}

fields() { awk -v last="$1" '{ for (i = 1; i <= last; ++i) printf "%s ", $i; print "" }' | sort; }

# same_as_ss FIELDS OPTION…: line for line, at a moment when ss says the same before and after.
same_as_ss() {
  local count=$1 i
  shift
  for ((i = 0; i < 50; ++i)); do
    ss -H "$@" | fields "$count" >before
    "$estab" ss --kernel -H "$@" 2>errors | fields "$count" >shown
    ss -H "$@" | fields "$count" >after
    if cmp -s before after; then
      diff before shown >difference || fail "estab ss $* differs from ss: $(head -20 difference)"
      return
    fi
  done
  fail "it never stands still"
}

# rows OPTION…: how many sockets it shows.
rows() { "$estab" ss --kernel -H "$@" | wc -l; }
closing() { "$estab" ss --kernel "$@" | sed '1,/^$/d'; }

# A namespace without a socket.
[[ $("$estab" ss --kernel -H) == "" ]] || fail "a fresh namespace has sockets"
"$estab" ss --kernel >printed
grep -q '^All .*ListenOverflows 0, ListenDrops 0' printed || fail "no closing line"

# Both families, one listener for both, and every state that stays.
hold connect 127.0.0.1 7001 3
hold connect ::1 7002 3
hold connect :: 7003 3
hold listen 0.0.0.0 7004 5
hold listen ::1 7005 6
listener=$holder
nc 127.0.0.1 7003 <&"$open" >/dev/null &
mapped() { ss -Htan | grep -qF '[::ffff:127.0.0.1]:7003'; }
wait_for "an IPv4 client of an IPv6 listener" mapped
ss -Htan >before
for state in LISTEN ESTAB FIN-WAIT-2 CLOSE-WAIT TIME-WAIT; do
  grep -q "^$state" before || fail "the test has no socket in $state"
done
same_as_ss 5 -tan
same_as_ss 6 -tlnp
"$estab" ss --kernel -tlnp >printed
grep -q "LISTEN .*\[::1\]:7005 .*users:((\"ss_peer\",pid=$listener,fd=[0-9]*))" printed ||
  fail "whose the listener is: $(cat printed)"
grep -q '^0\.0\.0\.0:7004 *accept 0/5, half-open 0/5, dropped 0$' printed || fail "the closing line"
! grep -q ESTAB printed || fail "-l shows connections"
if command -v setpriv >/dev/null; then
  setpriv --bounding-set -all --inh-caps -all -- "$estab" ss --kernel -lp >printed 2>errors
  grep -q "not every program's sockets" errors || fail "it does not say that it may not see all"
  [[ $(grep -c ^LISTEN printed) == 5 ]] || fail "without privileges: $(cat printed)"
fi

# Filters.
[[ $(rows --state listen) == 5 && $(rows -l) == 5 ]] || fail "--state listen"
[[ $(rows --port 7001 --state established) == 2 ]] || fail "--port"
[[ $(rows --sport 7001 --state established) == 1 ]] || fail "--sport"
[[ $(rows --dport 7001 --state established) == 1 ]] || fail "--dport"
[[ $(rows --source ::1 --state established) == 4 ]] || fail "--source of IPv6"
[[ $(rows --source 127.0.0.0/8) == $(ss -Htn -a dst 127.0.0.0/8 | wc -l) ]] || fail "--source"
[[ $(closing --port 7004 | wc -l) == 2 ]] || fail "a closing line of another port"
"$estab" ss --kernel --json -p --sport 7001 --state established >json
grep -qF '"local":{"address":"127.0.0.1","port":7001}' json || fail "the socket in $(cat json)"
grep -qF '"receive_queue":5' json && grep -qF '"name":"ss_peer"' json || fail "in $(cat json)"
! grep -qF '"port":7002' json || fail "--json is not filtered"

# Many, in one listing.
many=500
if [[ ${ESTAB_LONG:-} == 1 ]]; then many=5000; fi
hold connect 127.0.0.1 7100 "$many"
[[ $(rows --dport 7100 --state established) == $((many - 2)) ]] || fail "not all of $many"
same_as_ss 5 -tan
[[ $("$estab" ss --kernel -H -p --sport 7100 --state established | grep -c "pid=$holder,") == \
  $((many - 2)) ]] || fail "whose they are"

# A half-open queue: SYNs from nobody come over a veth out of a second namespace.
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
hold listen 10.99.0.1 80 128
there "$peer" flood 10.99.0.1 80 143
half_open=$(ss -Htan state syn-recv | wc -l)
((half_open == 128 || half_open == 129)) || fail "$half_open half-open, not a full queue"
same_as_ss 5 -tan
[[ $(rows --state syn-recv --source 198.18.0.0/16) == "$half_open" ]] || fail "not all half-open"
[[ $(rows --source 198.18.0.1) == 1 ]] || fail "one of them"
cookies=$((143 - half_open))
closing --state syn-recv >printed
grep -Eq "^10\.99\.0\.1:80 +accept 0/128, half-open $half_open/128 \(oldest ~[0-9.]+ s\), dropped" \
  printed || fail "the listener's line: $(cat printed)"
grep -q "^All .*SyncookiesSent $cookies" printed || fail "the cookies: $(cat printed)"
"$estab" ss --kernel --json >json
grep -qF "\"half_open\":$half_open,\"half_open_limit\":128" json || fail "the queue in --json"
[[ $(grep -o '"estimated_age_ms":[0-9]' json | wc -l) == "$half_open" ]] || fail "their ages"
again() {
  "$estab" ss --kernel -o --state syn-recv >printed &&
    grep -Eq 'timer:\(on,[0-9.]+sec,[1-9]\) age:~' printed
}
wait_for "a retransmission" again
"$estab" ss --kernel -c >printed
grep -Eq "^ +$cookies  SyncookiesSent " printed || fail "the counters"

# Again and again: into a file, and in a terminal, which is redrawn when it changes its size.
watching() {
  : >watched
  "$estab" ss "$@" --watch "$interval" >watched 2>errors &
  watcher=$!
}
ended() {
  local status=0
  kill -"$1" "$watcher"
  wait "$watcher" || status=$?
  ((status == 0)) || fail "watching ended with $status"
}
interval=0.2
watching --kernel -l
wait_for "a third table" sh -c '[ $(grep -c ^State watched) -ge 3 ]'
ended INT
[[ $(grep -Ec '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z$' watched) == $(grep -c ^State watched) ]] ||
  fail "no line with the time for each table"
! grep -q $'\e' watched || fail "it clears what is no terminal"
watching --kernel --json
wait_for "a second document" sh -c '[ $(wc -l <watched) -ge 2 ]'
ended TERM
[[ $(grep -vc '^\[{"kernel":.*}\]$' watched) == 0 ]] || fail "a line that is no document"
if command -v script >/dev/null; then
  cat >inner <<'INNER'
stty rows 7 cols 40
"$1" ss --kernel --watch 1000 &
i=0
until grep -q 'lines more' screen || ((++i > 600)); do sleep 0.05; done
stty rows 6 cols 30
until grep -q '^All.\{27\}.\[K' screen || ((++i > 600)); do sleep 0.05; done
kill -INT $!
wait $!
echo "ended with $?"
INNER
  script -qefc "bash inner '$estab'" screen </dev/null >/dev/null
  grep -q 'ended with 0' screen || fail "Ctrl-C in a terminal: $(cat -v screen)"
  grep -q '^State.\{35\}.\[K' screen || fail "not cut at 40 columns: $(cat -v screen)"
  grep -q '^State.\{25\}.\[K' screen || fail "the new size was not heard: $(cat -v screen)"
  grep -q '^All.\{27\}.\[K' screen || fail "the closing line in 30 columns: $(cat -v screen)"
fi

# The same for a running estab.
start serve --echo --discard
[[ $("$estab" ss -H --port 7 | wc -l) == 1 && $("$estab" ss -H --source ::/0 | wc -l) == 0 ]] ||
  fail "filters of a running estab"
"$estab" ss --json --sport 9 >json
grep -qF '"port":9}' json || fail "--json of a running estab: $(cat json)"
! grep -qF '"port":7}' json || fail "--json of a running estab is not filtered"
watching -l
wait_for "a second table" sh -c '[ $(grep -c ^State watched) -ge 2 ]'
stop
wait_for "its end" grep -q 'no estab is running' watched
ended HUP

# What goes wrong.
expect_failure 1 'no estab is running.*' "$estab" ss --watch
expect_failure 1 'estab ss --kernel' "$estab" ss
expect_failure 1 'netlink.*not permitted' "$peer" forbid "$estab" ss --kernel
expect_failure 1 'sock_diag' "$peer" forbid "$estab" ss --kernel --json
expect_failure 1 'standard output: No space left' sh -c "'$estab' ss --kernel --watch >/dev/full"
expect_failure 2 "'open' is no state" "$estab" ss --kernel --state open
expect_failure 2 'syn-recv.*time-wait' "$estab" ss --kernel --state open
for option in --port --sport --dport; do
  expect_failure 2 "${option#--}: 'http' is no port; such are 1 to 65535" \
    "$estab" ss --kernel $option http
done
expect_failure 2 "'10/8' is no prefix.*10.0.0.0/8" "$estab" ss --kernel --source 10/8
expect_failure 2 "'0' is no interval; such are" "$estab" ss --kernel --watch 0
expect_failure 2 'pid.*-p shows' "$estab" ss --kernel --pid 1
expect_failure 2 'ss -ti' "$estab" ss --kernel -i
