# SPDX-License-Identifier: Apache-2.0
# estab shield between clients and servers of the kernel's.
contrib=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")/../../contrib")
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

random_file large "$(mebibytes 16 256)"
random_file medium 2
port=7000
shield() { start shield --listen 10.77.0.2:80 --to 127.0.0.1:$port "$@"; }
says() { grep -Eq "$1" errors; }

# What both ends can do, in perl; the connection is $peer. nc ends when its peer does.
perl='
  $SIG{PIPE} = "IGNORE";
  sub reach { IO::Socket::IP->new(PeerHost => shift, PeerPort => 80) || \ lc "$!" }
  sub gone { return $$peer if ref $peer eq "SCALAR";  # A reset may overtake connect().
             1 while $n = sysread $peer, $_, 65536; defined $n ? "end" : lc "$!" }  # Why.
  sub hear { print while sysread $peer, $_, 65536 }
  sub pour { open $f, "<", shift; print $peer $_ while read $f, $_, 65536;
             $peer->flush; shutdown $peer, 1 }
  sub both { if (!($child = fork)) { pour(shift); exit } hear; waitpid $child, 0 }'

# backend SCRIPT: a server at the port; its pid is $backend.
backend() {
  perl -MIO::Socket::INET -e "$perl"'
    $gate = IO::Socket::INET->new(Listen => 64, LocalAddr => "127.0.0.1", LocalPort => shift,
                                  ReuseAddr => 1) or die $!;
    $script = shift;
    $peer = $gate->accept;
    eval $script; die $@ if $@;' $port "$@" &
  backend=$!
  wait_for "the server" listening $port
}
# client HOST SCRIPT ARGUMENT…
client() {
  perl -MIO::Socket::IP -MSocket=:all -e "$perl"'
    $peer = reach(shift);
    eval shift; die $@ if $@;' "$@"
}
next_port() { port=$((port + 1)); }

# --- Octets, and ends ----------------------------------------------------------------------------

start shield --listen 10.77.0.2:80 --listen '[fd00:77::2]:80' --to 127.0.0.1:$port \
  --capture shield.pcapng
for host in 10.77.0.2 fd00:77::2; do
  backend 'both("large")' >up
  client $host 'both("medium")' >down
  wait $backend
  same large down
  same medium up
done

# The client ends first, and is answered; the server ends first, and is told.
backend 'hear; pour("medium")' >up
client 10.77.0.2 'print $peer "question"; $peer->flush; shutdown $peer, 1; hear' >down
wait $backend
same medium down
[[ $(<up) == question ]] || fail "the question: $(<up)"
backend 'print $peer "the end\n"; $peer->flush; shutdown $peer, 1; hear' >up
client 10.77.0.2 'hear; print $peer "heard\n"; $peer->flush; shutdown $peer, 1;
                  print gone' >down
wait $backend
[[ $(<down) == $'the end\nend' ]] || fail "what the client heard: $(<down)"
[[ $(<up) == heard ]] || fail "what the server heard: $(<up)"

# A client that does not read holds the server back, and loses nothing.
backend 'pour("large")'
client 10.77.0.2 'select undef, undef, undef, 0.5; print while sysread $peer, $_, 4096' >down
wait $backend
same large down

pattern='LISTEN .*10\.77\.0\.2:80 .*estab0'
"$estab" ss -l >table || fail "estab ss"
grep -Eq "$pattern" table || fail "estab ss shows: $(cat table)"
stop
says '5 connections, 5 ended by both sides' || fail "the summary: $(cat errors)"
[[ -s shield.pcapng ]] || fail "no capture"

# Through a network that harms.
next_port
shield --impair loss=1%,duplicate=1%,reorder=5%
backend 'both("medium")' >up
client 10.77.0.2 'both("medium")' >down
wait $backend
same medium down
same medium up
stop

# --- Resets --------------------------------------------------------------------------------------

# Nobody serves: every client is reset, and every one is counted, in fewer lines.
next_port
shield
client 10.77.0.2 '
  for (1 .. 100) { push @all, reach("10.77.0.2") }
  for $peer (@all, $peer) { ++$seen{gone()} }
  print map { "$_: $seen{$_}\n" } sort keys %seen' >down
[[ $(<down) == 'connection reset by peer: 101' ]] || fail "the refused: $(<down)"
# Then somebody does.
backend 'print $peer "here\n"'
[[ $(nc -N 10.77.0.2 80 </dev/null) == here ]] || fail "the server that came back"
stop
says "cannot reach 127.0.0.1:$port: Connection refused; the client is reset" || fail "refused"
says "127.0.0.1:$port answers again" || fail "the return"
says '102 connections, 1 ended by both sides, 101 without a server' || fail "the summary"
counted=$(sed -nE 's/.*is reset( \(([0-9]+) times within a second\))?$/\2/p' errors |
  awk '{ n += $1 == "" ? 1 : $1 } END { print n }')
((counted == 101)) || fail "the lines speak of $counted"
(($(grep -c 'cannot reach' errors) < 101)) || fail "a line for each"

# The server dies in mid-transfer, its input unread; the next one is reached.
next_port
shield
backend 'sleep 600'
client 10.77.0.2 '1 while syswrite $peer, "x" x 65536; print lc "$!"' >down &
sender=$!
wait_for "text that waits" sh -c "ss -Htn 'sport = $port' | awk '\$2 > 0 { n = 1 } END { exit !n }'"
kill -9 $backend
wait $backend 2>/dev/null || true
wait $sender
[[ $(<down) == 'connection reset by peer' ]] || fail "the client of a dead server: $(<down)"
backend 'print $peer "here\n"'
[[ $(nc -N 10.77.0.2 80 </dev/null) == here ]] || fail "the next server"
# A client that resets: so the server sees it.
backend 'print gone' >up
client 10.77.0.2 'print $peer "x"; $peer->flush; setsockopt $peer, SOL_SOCKET, SO_LINGER,
                  pack "ii", 1, 0'
wait $backend
[[ $(<up) == 'connection reset by peer' ]] || fail "the server of a client that resets: $(<up)"
stop
says "127.0.0.1:$port has broken off a connection" || fail "the death"
says '3 connections, 1 ended by both sides, 1 reset by the client, 1 broken off by the server' ||
  fail "the summary"

# Idle; and a server that does not answer: its SYNs go nowhere.
next_port
shield --idle 200ms
backend 'sleep 600'
[[ $(client 10.77.0.2 'print gone') == 'connection reset by peer' ]] || fail "idle"
kill $backend
wait $backend 2>/dev/null || true
stop
says '1 idle too long' || fail "the idle"
next_port
start shield --listen 10.77.0.2:80 --to 192.0.2.1:80 --connect-timeout 200ms
ip tuntap add void mode tun
ip link set void up
ip route add 192.0.2.1 dev void
[[ $(client 10.77.0.2 'print gone') == 'connection reset by peer' ]] || fail "no answer"
stop
says 'cannot reach 192.0.2.1:80: Connection timed out' || fail "the silence"

# --- The end -------------------------------------------------------------------------------------

# SIGTERM while octets are on their way: they arrive. While nobody ends: a reset, and no failure.
next_port
shield --impair rate=100mbit --drain 60s
backend 'both("medium")' >up
client 10.77.0.2 'both("medium")' >down &
sender=$!
wait_for "the transfer" sh -c "ss -Htn state established 'dport = $port' | grep -q ."
kill -TERM "$server"
status=0
wait "$server" || status=$?
((status == 0)) || fail "SIGTERM: $status"
wait $sender || fail "the transfer was cut"
left_nothing
same medium down
wait $backend
same medium up
says 'no longer listening; 1 connection may finish' || fail "draining"
next_port
shield --drain 100ms
backend 'sleep 600'
client 10.77.0.2 'print gone' >down &
sender=$!
wait_for "the connection" sh -c "ss -Htn state established 'dport = $port' | grep -q ."
kill -TERM "$server"
status=0
wait "$server" || status=$?
((status == 0)) || fail "SIGTERM: $status"
wait $sender
kill $backend
wait $backend 2>/dev/null || true
left_nothing
[[ $(<down) == 'connection reset by peer' ]] || fail "the end of the drain: $(<down)"
says '1 connection did not finish in time and is reset' || fail "the drain"

# --- Limits, keys, and the client's address ------------------------------------------------------

# crowd COUNT: so many connections from one address, at once; how each one fares, in `down`.
crowd() {
  backend 'do { syswrite $peer, "x"; push @all, $peer } while $peer = $gate->accept'
  client 10.77.0.2 '
    for (2 .. shift) { push @all, reach("10.77.0.2") }
    for $peer ($peer, @all) {
      $n = ref $peer eq "SCALAR" ? 0 : sysread $peer, $_, 1;
      ++$seen{$n ? "served" : defined $n ? gone() : lc "$!"} }
    print map { "$_: $seen{$_}\n" } sort keys %seen' "$1" >down
  kill $backend
  wait $backend 2>/dev/null || true
  wait_for "the end of the crowd" sh -c "! ss -Htn exclude time-wait 'dport = $port' | grep -q ."
}
next_port
echo 'per-prefix 2 # From one /24.' >limits
shield --limits limits --max-connections 3
crowd 5
[[ $(<down) == $'connection reset by peer: 3\nserved: 2' ]] ||
  fail "the limit of a network: $(<down)"
says '10.77.0.0/24 are open, the limit for a network' || fail "whose limit"
printf 'per-prefix 0\nmax-connections 2\n' >limits
kill -HUP "$server"
wait_for "the new limits" says 'the limits of limits are in force'
crowd 6
[[ $(<down) == $'connection reset by peer: 4\nserved: 2' ]] ||
  fail "the limit of all: $(<down)"
printf '\nper-prefix no\n' >limits
kill -HUP "$server"
wait_for "a refusal" says "limits, line 2: 'per-prefix no' is no limit; such are: "
says 'the old limits stay in force' || fail "the old limits"
printf 'max-connections 1000\nrate-per-prefix 4/s' >limits
kill -HUP "$server"
wait_for "new limits" sh -c "[ \$(grep -c 'are in force' errors) = 2 ]"
crowd 100
grep -q 'connection reset by peer' down || fail "the rate: $(<down)"
stop
says '4 connections a second came from 10.77.0.0/24' || fail "whose rate"

next_port
(umask 077 && "$estab" shield --make-keys >keys)
shield --keys keys
reach() {
  backend 'print $peer "here\n"'
  [[ $(nc -N 10.77.0.2 80 </dev/null) == here ]] || fail "with these keys: $(cat errors)"
}
reach
says '.' && ! says 'ip_forward' && fail "words for nothing"
echo "current 12345" >keys
kill -HUP "$server"
wait_for "a refusal" says 'keys, line 1: a key is 64 hexadecimal digits; this is none, of 5'
says 'the old keys stay in force' || fail "the old keys"
reach
rm keys
kill -HUP "$server"
wait_for "a refusal" says 'cannot read keys: No such file'
"$estab" shield --make-keys >keys
sed 's/current/previous/' keys >>keys.new && "$estab" shield --make-keys >>keys.new
chmod 644 keys.new && mv keys.new keys
kill -HUP "$server"
wait_for "the new keys" says 'the keys of keys are in force'
says 'anybody can read keys; chmod 600' || fail "a secret that is none"
reach
stop

next_port
start shield --listen 10.77.0.2:80 --listen '[fd00:77::2]:80' --to 127.0.0.1:$port --proxy-protocol
for host in 10.77.0.2 fd00:77::2; do
  backend hear >up
  client $host 'print $peer "text"; $peer->flush; print $peer->sockport, "\n"; shutdown $peer, 1;
                gone' >down
  wait $backend
  [[ $(tail -c 4 up) == text ]] || fail "the text behind the header"
  from=$(printf %04x "$(<down)")
  if [[ $host == *:* ]]; then
    expected=2121 expected+=0024 expected+=fd00007700000000$(printf %016x 1)
    expected+=fd00007700000000$(printf %016x 2)
  else expected=2111 expected+=000c expected+=0a4d00010a4d0002; fi
  [[ $(head -c -4 up | od -An -v -tx1 | tr -d ' \n') == \
    0d0a0d0a000d0a515549540a$expected${from}0050 ]] || fail "the header: $(od -tx1 up)"
done
stop

# SIGHUP with nothing to read again; an address of no network of the device.
next_port
start shield --listen 198.51.100.7:80 --to 127.0.0.1:$port
kill -HUP "$server"
wait_for "its word" says 'SIGHUP reads --keys and --limits again; neither was given'
backend 'print $peer "here\n"'
[[ $(nc -N 198.51.100.7 80 </dev/null) == here ]] || fail "an address that is routed"
stop
# It is killed while a client is connected; the next one says so, resets that client, and serves.
next_port
start shield --listen 198.51.100.7:80 --to 127.0.0.1:$port
backend 'hear'
mkfifo go
client 198.51.100.7 'print STDERR "connected\n"; open $go, "<", "go"; scalar <$go>;
                     print $peer "x"; $peer->flush; print gone' >down 2>connected &
sender=$!
wait_for "the client" grep -q connected connected
wait_for "its connection" sh -c "ss -Htn state established 'dport = $port' | grep -q ."
killed=$server
kill -9 "$server"
wait "$server" 2>/dev/null || true
wait $backend 2>/dev/null || true
start shield --listen 198.51.100.7:80 --to 127.0.0.1:$port
says "the estab with the pid $killed was killed" || fail "the one before: $(cat errors)"
echo go >go
wait $sender
[[ $(<down) == 'connection reset by peer' ]] || fail "the client of the killed one: $(<down)"
backend 'print $peer "here\n"'
[[ $(nc -N 198.51.100.7 80 </dev/null) == here ]] || fail "after the restart"
# The link goes down, and comes up again: so do its routes, and the shield.
ip link set estab0 down
wait_for "its word" says 'estab0 is down: nobody reaches it'
ip link set estab0 up
wait_for "its word" says 'estab0 is up again, with its routes'
backend 'print $peer "here\n"'
[[ $(nc -N 198.51.100.7 80 </dev/null) == here ]] || fail "after the link came up"
stop
[[ -z $(ip route show 198.51.100.7) ]] || fail "the route is still there"

# --- Bad input -----------------------------------------------------------------------------------

both=(--listen 10.77.0.2:80 --to 127.0.0.1:80)
expect_failure 2 'shield what.*--listen ADDRESS:PORT and --to' "$estab" shield
expect_failure 2 'shield what' "$estab" shield --listen 10.77.0.2:80
expect_failure 2 "listen.*'80' is no address with a port.*such are" "$estab" shield --listen 80
expect_failure 2 "'fd00::1:80' is no address" "$estab" shield --listen fd00::1:80 --to 127.0.0.1:80
expect_failure 2 "to.*'host:80' is no address" "$estab" shield --listen 10.77.0.2:80 --to host:80
expect_failure 2 'to.*is what --listen names' "$estab" shield "${both[@]}" \
  --listen 127.0.0.1:80
expect_failure 2 'listen.*no host.s address' "$estab" shield --listen 0.0.0.0:80 --to 127.0.0.1:80
expect_failure 2 'to.*no host.s address' "$estab" shield --listen 10.77.0.2:80 --to 224.0.0.1:80
expect_failure 2 "idle.*'5' is no time; such are" "$estab" shield "${both[@]}" --idle 5
expect_failure 2 "drain.*'-1s' is no time" "$estab" shield "${both[@]}" --drain -1s
expect_failure 2 "per-prefix.*'x' is no whole number" "$estab" shield "${both[@]}" --per-prefix x
expect_failure 2 "'50' is no rate; such is 50/s" "$estab" shield "${both[@]}" --rate-per-prefix 50
expect_failure 2 'with 0 nobody gets in' "$estab" shield "${both[@]}" --max-connections 0
expect_failure 1 'need 900000064 file descriptors' "$estab" shield "${both[@]}" \
  --max-connections 900000000
echo 'current abc' >keys
expect_failure 1 'keys, line 1: a key is 64' "$estab" shield "${both[@]}" --keys keys
expect_failure 1 'cannot read nowhere: No such file' "$estab" shield "${both[@]}" --limits nowhere
ip address add 203.0.113.9/32 dev lo
expect_failure 1 "203.0.113.9 is an address of this machine's kernel" "$estab" shield \
  --listen 203.0.113.9:80 --to 127.0.0.1:80
"$estab" shield --help >help
for option in --listen --to --idle --drain --connect-timeout --keys --limits --proxy-protocol; do
  grep -q -- "$option " help || fail "$option is not in the help"
done

# The unit of systemd, had it this command to start.
if command -v systemd-analyze >/dev/null; then
  sed "s|/usr/local/bin/estab|$estab|" "$contrib/estab-shield.service" >estab-shield.service
  systemd-analyze verify "$PWD/estab-shield.service" 2>unit.txt && [[ ! -s unit.txt ]] ||
    fail "the unit: $(cat unit.txt)"
fi

# --- Before nginx, and under a flood -------------------------------------------------------------

if command -v nginx >/dev/null && command -v ab >/dev/null; then
  next_port
  mkdir -p www
  echo hello >www/hello.txt
  cp large www/large
  cat >nginx.conf <<TEXT
daemon off; pid $PWD/nginx.pid; error_log stderr; user root;
events {}
http {
  access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server { listen 127.0.0.1:$port backlog=4096; root $PWD/www; }
}
TEXT
  nginx -p "$PWD" -c nginx.conf 2>nginx.txt &
  wait_for "nginx" listening $port
  shield
  curl -sS http://10.77.0.2/large -o down
  same large down
  # requests COUNT ARGUMENT…: ab fetches the small file; none may fail.
  requests() {
    ab -q -c 50 -n "$@" http://10.77.0.2/hello.txt >ab.txt 2>&1 || fail "$(cat ab.txt)"
    grep -Eq "Complete requests: +$1\$" ab.txt || fail "$(cat ab.txt)"
    grep -Eq 'Failed requests: +0$' ab.txt || fail "$(cat ab.txt)"
  }
  requests "$(mebibytes 2000 20000)"
  requests "$(mebibytes 2000 20000)" -k
  if command -v hping3 >/dev/null; then
    timeout 5 hping3 -q --flood --rand-source -S -p 80 10.77.0.2 >/dev/null 2>&1 &
    flood=$!
    requests 1000
    wait $flood || true
  else
    echo "no hping3 is here: without the flood"
  fi
  stop
  kill -QUIT "$(<nginx.pid)"
fi
