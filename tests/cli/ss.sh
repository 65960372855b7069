# SPDX-License-Identifier: Apache-2.0
# estab ss shows what running estab programs hold, beside what the kernel's ss shows of its ends.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

shows() { "$estab" ss "$@" >table 2>errors && grep -Eq "$pattern" table; }
see() {
  pattern=$1
  shift
  wait_for "'$pattern' in: estab ss $* ($(cat table 2>/dev/null))" shows "$@"
}

start serve --echo --discard
see '^\*:7 accept 0/4097, half-open 0/8192, dropped 0, NORMAL'
see '^LISTEN +0 +4097 .*\*:7 ' -l
see '^LISTEN .*\*:9 ' -tan
(($(grep -c ^LISTEN table) == 2)) || fail "more than two listeners: $(cat table)"

# A connection, as both ends see it.
mkfifo keep
nc 10.77.0.2 7 <keep >/dev/null &
exec 3>keep
echo hello >&3
see '^ESTAB +0 +0 +10\.77\.0\.2:7 +10\.77\.0\.1:[0-9]+ ' --state established
see ' cwnd:10 .*bytes_received:6' -i
ss -Htn state established | grep -q '10.77.0.2:7' || fail "the kernel's end"
"$estab" ss --json >json
for field in '"service":"serve --echo --discard"' '"state":"ESTABLISHED"' '"octets_received":6,' \
  '"local":{"address":"::","port":9}' '"clause":"RFC 9293'; do
  grep -qF "$field" json || fail "no $field in $(cat json)"
done
exec 3>&-

# A second program; each is shown, or one.
"$estab" serve --discard --device estab1 --address 10.78.0.2/24 >/dev/null &
second=$!
see "$second/estab1"
see "$server/estab0"
see "LISTEN .*:9 .*$second/estab1" --pid $second
(($(grep -c LISTEN table) == 1)) || fail "more than one program: $(cat table)"
kill $second
wait $second || fail "SIGTERM is no failure"

# The one that closes first waits: the server, for which curl's HTTP/1.0 asks.
stop
start serve --http .
curl -sS --http1.0 http://10.77.0.2:8080/table -o /dev/null
see '^TIME-WAIT 0 +0 +10\.77\.0\.2:8080 .*timer:\(timewait,[0-9]+sec,0\)' --state time-wait -o
see 'handshake_done .*RFC 9293' -c
# A program that was killed leaves a socket file; the next to look clears it away.
kill -KILL "$server"
wait "$server" 2>/dev/null || true
expect_failure 1 'no estab is running' "$estab" ss
