# SPDX-License-Identifier: Apache-2.0
# How long serve and shield wait for a client; the second argument is the program that makes clients
# by hand.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/raw_peers.sh"

mkdir www
head -c 8388608 /dev/urandom >www/large
head -c 65536 /dev/urandom >www/small
head -c 12000 /dev/urandom >www/slow
says() { grep -Eq "$1" errors; }
none_left() { [[ -z $("$estab" ss -H --state established) ]]; }

# --- serve ---------------------------------------------------------------------------------------

# Those that vanish with an answer on its way are reset, and named; who reads slowly is not.
start serve --http www --write-timeout 3s
crowd 10.77.0.2:8080 60 slow:5:10.89.0.0/16:/slow:4096
[[ $(of slow ended) == 5 && $(of slow reset) == 0 ]] || fail "slow readers: $(tail -n 1 crowd)"
stop
! says 'ended for lack' || fail "a slow reader was taken for none"
start serve --http www --write-timeout 1s
crowd 10.77.0.2:8080 1 vanish:200:10.88.0.0/16:/large:20000
[[ $(of vanish open) == 200 ]] || fail "they are not there: $(tail -n 1 crowd)"
wait_for "the end of those that vanished" none_left
stop
says '10.88.0.*acknowledged no byte in time; it is reset' || fail "their names"
says '200 connections were ended for lack of progress, 200 that acknowledged no byte' ||
  fail "how many they were"

# No request, half a request, one request and then nothing; echo and discard.
start serve --http www --idle 300ms --request-timeout 600ms
# say PORT WORDS: says the words and prints what comes, until the end; a minute is for ever.
say() {
  local status=0
  exec 3<>/dev/tcp/10.77.0.2/"$1"
  printf "$2" >&3
  timeout 60 cat <&3 || status=$?
  exec 3>&-
  ((status != 124)) || echo "still open"
}
[[ -z $(say 8080 '') ]] || fail "an answer to nothing"
[[ $(say 8080 'GET / HT') == *'408 Request Timeout'* ]] || fail "half a request"
say 8080 'GET /small HTTP/1.1\r\nHost: x\r\n\r\n' | tail -c 65536 >copy
same www/small copy
stop
says '3 connections were ended for lack of progress, 1 idle, 2 without a whole request' ||
  fail "why they were ended"
for service in echo discard; do
  start serve --$service --idle 300ms --port 7
  [[ $(say 7 x) == "$([[ $service == echo ]] && echo x)" ]] || fail "the idle client of $service"
  stop
  says '1 connection was ended for lack of progress, 1 idle' || fail "the idle client of $service"
done

# --- shield --------------------------------------------------------------------------------------

# A server that takes nothing, for its program is stopped; and neither side speaks.
port=7000
perl -MIO::Socket::INET -e '
  $gate = IO::Socket::INET->new(Listen => 64, LocalAddr => "127.0.0.1", LocalPort => shift);
  push @all, $_ while $_ = $gate->accept' $port &
backend=$!
wait_for "the server" listening $port
start shield --listen 10.77.0.2:80 --to 127.0.0.1:$port --write-timeout 2s --request-timeout 1s
[[ -z $(say 80 '' 2>/dev/null) ]] || fail "a word from nobody"
head -c 20000000 /dev/zero | nc -N 10.77.0.2 80 || true
stop
kill $backend 2>/dev/null || true
says "127.0.0.1:$port acknowledged no byte in time; its client is reset" ||
  fail "a server that takes nothing"
says '2 connections, 1 without a request, 1 with a server that acknowledged no byte' ||
  fail "the summary"

# --- Bad input -----------------------------------------------------------------------------------

for command in 'serve --echo' 'shield --listen 10.77.0.2:80 --to 127.0.0.1:80'; do
  for memory in 0 15MiB 16777215 2000GiB 99999999999999999999 1KB 64mib -1 MiB 1.5GiB; do
    expect_failure 2 "memory-limit.*16MiB to 1024GiB" "$estab" $command --memory-limit=$memory
  done
  for option in idle request-timeout write-timeout; do
    expect_failure 2 "$option.*'5' is no time" "$estab" $command --$option 5
  done
done
start serve --echo --memory-limit 32MiB
"$estab" ss --json | grep -q '"limit":33554432' || fail "the memory limit"
stop
