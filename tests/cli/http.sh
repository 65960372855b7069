# SPDX-License-Identifier: Apache-2.0
# curl and ab of the kernel fetch files from estab serve --http.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mkdir -p www/sub
random_file www/large "$(mebibytes 64 1024)"
random_file www/medium "$(mebibytes 8 64)"
echo hello >www/sub/hello.txt
harm=loss=1%,duplicate=1%,reorder=5%
fetch() { curl -sS --max-time 900 "$@"; }

for mtu in 1500 9000; do
  start serve --http www --mtu $mtu
  for host in 10.77.0.2 '[fd00:77::2]'; do
    fetch -g "http://$host:8080/large" -o copy
    same www/large copy
  done
  stop
done

start serve --http www --impair "$harm" --capture http.pcapng
for host in 10.77.0.2 '[fd00:77::2]'; do
  fetch -g "http://$host:8080/medium" -o copy
  same www/medium copy
done
stop
[[ -s http.pcapng ]] || fail "no capture"

start serve --http www
site=http://10.77.0.2:8080
code() { fetch -o body -w '%{http_code}' "$@"; }
[[ $(fetch $site/sub/hello.txt) == hello ]] || fail "the file's text"
[[ $(fetch -r 1-3 $site/sub/hello.txt) == ell ]] || fail "a range"
[[ $(code -r 99- $site/sub/hello.txt) == 416 ]] || fail "a range past the end"
[[ $(code $site/none) == 404 ]] || fail "a file that is not there"
[[ $(code -d x=1 $site/sub/hello.txt) == 405 ]] || fail "a POST"
[[ $(code --path-as-is $site/../http.pcapng) == 403 ]] || fail "a path that leads out"
[[ $(code -L $site/sub) == 200 ]] || fail "a folder without its slash"
grep -q 'href="hello.txt"' body || fail "a folder's list"
[[ $(code -I $site/large) == 200 ]] || fail "HEAD"
[[ $(code -H "x: $(printf '%020000d' 0)" $site/) == 431 ]] || fail "a header that is too large"
[[ $(printf 'nonsense\r\n\r\n' | nc -N 10.77.0.2 8080) == *'400 Bad Request'* ]] || fail "nonsense"
# Two requests on one connection.
[[ $(fetch -w '%{num_connects}' -o body -o body $site/sub/hello.txt $site/sub/hello.txt) == 10 ]] ||
  fail "the connection is kept"

if command -v ab >/dev/null; then
  requests=$(mebibytes 4000 20000)
  for keep in '' -k; do
    ab $keep -q -c 200 -n "$requests" "$site/sub/hello.txt" >ab.txt 2>&1 || fail "$(cat ab.txt)"
    grep -Eq "Complete requests: +$requests\$" ab.txt || fail "$(cat ab.txt)"
    grep -Eq 'Failed requests: +0$' ab.txt || fail "$(cat ab.txt)"
  done
fi
stop

# Ctrl-C while a file is on its way: the client gets all of it.
start serve --http www --impair rate=200mbit
fetch $site/medium -o copy &
client=$!
wait_for "the transfer" sh -c "'$estab' ss --state established -H | grep -q ESTAB"
stop
wait $client || fail "the transfer was cut"
same www/medium copy
