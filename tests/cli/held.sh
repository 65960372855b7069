# SPDX-License-Identifier: Apache-2.0
# Clients that hold on to memory by never reading: their windows are shut, and they answer probes.
# That is no progress; the second argument is the program that makes them.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/raw_peers.sh"

mkdir www
head -c 8388608 /dev/urandom >www/large
says() { grep -Eq "$1" errors; }
all_reset_in_time() {
  [[ $(of hold reset) == "$1" ]] || fail "who holds on: $(tail -n 1 crowd)"
  awk -v s="$(of hold least_stall)" 'BEGIN { exit !(s >= 2) }' ||
    fail "too early: $(tail -n 1 crowd)"
}

start serve --http www --write-timeout 2s
crowd 10.77.0.2:8080 60 hold:50:10.88.0.0/16:/large:20000
all_reset_in_time 50
stop
says '10.88.0.*acknowledged no byte in time; it is reset' || fail "their names"
says '50 connections were ended for lack of progress, 50 that acknowledged no byte' ||
  fail "how many they were"

# The same where the stack holds all of the answer, and the server waits for the next request.
head -c 30000 /dev/urandom >www/small
start serve --http www --write-timeout 2s --request-timeout 1h --idle 1h
crowd 10.77.0.2:8080 60 hold:5:10.88.0.0/16:/small:20000
all_reset_in_time 5
stop
says '5 connections were ended for lack of progress, 5 that acknowledged no byte' ||
  fail "how many they were"

port=7000
perl -MIO::Socket::INET -e '
  $gate = IO::Socket::INET->new(Listen => 64, LocalAddr => "127.0.0.1", LocalPort => shift);
  $SIG{PIPE} = "IGNORE";
  while ($peer = $gate->accept) { next if fork; print $peer "x" x 8e6; exit }' $port &
backend=$!
wait_for "the server" listening $port
start shield --listen 10.77.0.2:80 --to 127.0.0.1:$port --write-timeout 2s
crowd 10.77.0.2:80 60 hold:5:10.88.0.0/16:/large:20000
all_reset_in_time 5
stop
kill $backend 2>/dev/null || true
says '10.88.0.*acknowledged no byte in time; it is reset' || fail "their names"
says '5 connections, 5 with a client that acknowledged no byte' || fail "the summary"
