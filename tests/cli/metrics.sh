# SPDX-License-Identifier: Apache-2.0
# curl of the kernel scrapes estab serve --metrics, in peace and while a flood goes on.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

at=127.0.0.1:9077
scrape() { curl -gsS --max-time 60 "$@"; }
code() { scrape -o body -w '%{http_code}' "$@"; }
# value NAME: of one series, of the last page.
value() { awk -v name="$1" '$1 == name { print $2; found = 1 } END { exit !found }' page; }
# page_where TEST: scrapes until an arithmetic test on n, the value of a series, holds.
page_where() {
  scrape http://$at/metrics >page
  local n
  n=$(value "$1") || return 1
  (($2))
}

# What is no address with a port is said to be none, and what cannot be had is told.
for wrong in 9077 127.0.0.1 localhost:9077 127.0.0.1:0 127.0.0.1:65536 127.0.0.1:http ::1:9077 \
  '[127.0.0.1]:9077' '127.0.0.1:9077 ' ''; do
  expect_failure 2 'such are 192.0.2.1:80 and|ADDRESS:PORT' \
    "$estab" serve --echo --metrics "$wrong"
done
expect_failure 1 '192.0.2.9:9077: Cannot assign|address of this machine' \
  "$estab" serve --echo --metrics 192.0.2.9:9077
nc -lk 127.0.0.1 9077 </dev/null >/dev/null &
other=$!
wait_for "nc" listening 9077
expect_failure 1 '127.0.0.1:9077: Address already in use' "$estab" serve --echo --metrics $at
expect_failure 1 'choose another port' "$estab" connect 10.77.0.1 7000 --metrics $at
kill $other
wait $other || true

# One page: a connection, its listener, the format, and what else the socket says.
start serve --echo --metrics $at
grep -q "^metrics  curl http://$at/metrics$" printed || fail "where the metrics are"
[[ $(nc -N 10.77.0.2 7 <<<hello) == hello ]] || fail "the echo"
[[ $(code -D header http://$at/metrics) == 200 ]] || fail "GET"
grep -iq '^content-type: application/openmetrics-text; version=1.0.0; charset=utf-8' header ||
  fail "the type of OpenMetrics"
[[ $(tail -n 1 body) == '# EOF' ]] || fail "the end of OpenMetrics"
page_where 'estab_passive_opens_total{local="[::]:7"}' 'n == 1' || fail "one connection"
page_where 'estab_listener_syns_total{local="[::]:7"}' 'n >= 1' || fail "its SYN"
page_where 'estab_listener_mode{local="[::]:7",mode="NORMAL"}' 'n == 1' || fail "the mode"
page_where 'estab_stack_info{device="estab0"}' 'n == 1' || fail "the device"
page_where 'estab_memory_limit_bytes' 'n > 0' || fail "the memory"
[[ $(code -D header -H 'Accept: text/plain' http://$at/metrics) == 200 ]] || fail "the older format"
grep -iq '^content-type: text/plain; version=0.0.4' header || fail "the type of the older format"
! grep -q EOF body || fail "the end of the older format"
[[ $(code http://$at/) == 404 ]] || fail "another path"
[[ $(code -d x=1 http://$at/metrics) == 405 ]] || fail "a POST"
[[ $(code -I http://$at/metrics) == 200 ]] || fail "HEAD"
[[ $(printf 'nonsense\r\n\r\n' | nc -N 127.0.0.1 9077) == *'400 Bad Request'* ]] || fail "nonsense"

# Those who say nothing neither keep others out nor stay for ever.
mkfifo silence
for ((i = 0; i < 40; ++i)); do nc 127.0.0.1 9077 <silence >/dev/null & done
exec 3>silence
for ((i = 0; i < 5; ++i)); do [[ $(code http://$at/metrics) == 200 ]] || fail "beside silence"; done
wait_for "the end of who is silent" sh -c "! ss -Htn state established 'sport = 9077' | grep -q ."
exec 3>&-

# A flood: the page comes, and tells of it; the clients have what they came for.
forged_syns 400 100 &
flood=$!
syns='estab_listener_syns_total{local="[::]:7"}'
wait_for "the flood's SYNs" page_where "$syns" 'n > 1000'
wait_for "cookies" page_where 'estab_syncookies_sent_total{local="[::]:7"}' 'n > 1000'
page_where 'estab_listener_mode{local="[::]:7",mode="STATELESS"}' 'n == 1' || fail "the mode"
before=$(value "$syns")
for ((i = 0; i < 5; ++i)); do
  [[ $(timeout 60 nc -N 10.77.0.2 7 <<<hello) == hello ]] || fail "a client in the flood"
done
wait_for "more of the flood" page_where "$syns" "n > $before"
page_where 'estab_passive_opens_total{local="[::]:7"}' 'n >= 6' || fail "the clients' handshakes"
page_where 'estab_reason_total{reason="send_cookie"}' 'n > 1000' || fail "the reason"
kill $flood 2>/dev/null || true
wait $flood 2>/dev/null || true
stop
! listening 9077 || fail "the port is still taken"

# Over IPv6, at the kernel's end of the device, and of a client's session.
for at in '[::1]:9077' 10.77.0.1:9077; do
  start serve --discard --metrics "$at"
  [[ $(code "http://$at/metrics") == 200 ]] || fail "$at"
  stop
done
at=127.0.0.1:9077
nc -l 7001 >/dev/null &
wait_for "nc" listening 7001
mkfifo input
"$estab" connect 10.77.0.1 7001 --metrics $at <input 2>errors &
client=$!
exec 3>input
wait_for "the client's metrics" page_where 'estab_connections{state="ESTABLISHED"}' 'n == 1'
exec 3>&-
wait $client || fail "the client"
left_nothing
