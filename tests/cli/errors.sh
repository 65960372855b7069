# SPDX-License-Identifier: Apache-2.0
# What goes wrong is said in two lines at the most, with the right exit code, and leaves nothing.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Usage: 2.
expect_failure 2 'no command is given; there are serve, connect' "$estab"
expect_failure 2 "'frobnicate' is no command" "$estab" frobnicate
expect_failure 2 'serve what.*--http' "$estab" serve
expect_failure 2 'one service' "$estab" serve --echo --discard --port 99
expect_failure 2 "10.77.0.2.*such are 10.77.0.2/24" "$estab" serve --echo --address 10.77.0.2
expect_failure 2 '10.77.0.2/32 leaves no address' "$estab" serve --echo --address 10.77.0.2/32
expect_failure 2 "is estab's own" "$estab" serve --echo --peer-address 10.77.0.2/24
expect_failure 2 "999.1.1.1.*no IPv4 or IPv6 address" "$estab" connect 999.1.1.1 80
expect_failure 2 'PORT.*70000' "$estab" connect 10.77.0.1 70000
expect_failure 2 'PORT is required' "$estab" connect 10.77.0.1
expect_failure 2 'loss' "$estab" serve --echo --impair loss=200%
expect_failure 2 'mtu.*100' "$estab" serve --echo --mtu 100
expect_failure 2 'nowhere' "$estab" serve --http nowhere
expect_failure 2 'device.*no name' "$estab" serve --echo --device a-name-that-is-too-long
expect_failure 2 'no state of TCP' "$estab" ss --state open
"$estab" --help >help
"$estab" serve --help >>help
"$estab" connect --help >>help
"$estab" ss --help >>help
"$estab" version | grep -Eq '^estab [0-9]+\.[0-9]+\.[0-9]+$' || fail "the version"

# Nobody runs: 1.
expect_failure 1 'no estab is running' "$estab" ss

# The peer refuses, is not there, vanishes, or resets.
expect_failure 1 '10.77.0.1:9999: Connection refused' "$estab" connect 10.77.0.1 9999
expect_failure 1 'fd00:77::1.*Connection refused' "$estab" connect fd00:77::1 9999
expect_failure 1 'timed out' "$estab" connect 10.77.0.9 80 --timeout 1
expect_failure 1 '224.0.0.1:80: Invalid argument' "$estab" connect 224.0.0.1 80

nc -l 7001 </dev/null >/dev/null &
peer=$!
wait_for "nc" listening 7001
(sleep 1; ip link set estab0 down) &
expect_failure 1 'timed out' sh -c "yes | '$estab' connect 10.77.0.1 7001 --timeout 2"
kill $peer 2>/dev/null || true

# No room: for the output, for the capture, from its first block or from a later one.
nc -N -l 7002 < <(yes | head -c 1000000) >/dev/null &
wait_for "nc" listening 7002
expect_failure 1 'standard output: No space left' sh -c \
  "'$estab' connect 10.77.0.1 7002 </dev/null >/dev/full"
nc -N -l 7003 < <(yes | head -c 1000000) >/dev/null &
wait_for "nc" listening 7003
expect_failure 1 'capture /dev/full: No space left' "$estab" connect 10.77.0.1 7003 \
  --capture /dev/full </dev/null
expect_failure 1 'capture nowhere/c.pcapng: No such file' "$estab" serve --echo \
  --capture nowhere/c.pcapng
for word in --help version; do
  expect_failure 1 'standard output' sh -c "'$estab' $word >/dev/full"
done

# The reader of the output leaves.
nc -N -l 7004 < <(yes | head -c 3000000) >/dev/null &
wait_for "nc" listening 7004
expect_failure 1 'standard output: Broken pipe' bash -c \
  "sleep 3 | '$estab' connect 10.77.0.1 7004 | head -c 1; exit \${PIPESTATUS[1]}"

# The device is somebody else's; it is taken away; no right to make one.
start serve --echo
status=0
"$estab" serve --echo 2>errors || status=$?
((status == 1)) && grep -q 'estab0.*choose another name' errors || fail "a device in use: $status"
ip link del estab0
status=0
wait "$server" || status=$?
((status == 1)) && grep -q 'device' errors || fail "a device that goes away: $status"
left_nothing
if command -v setpriv >/dev/null; then
  expect_failure 1 'CAP_NET_ADMIN|run as root' setpriv --bounding-set -net_admin \
    --inh-caps -net_admin -- "$estab" serve --echo
fi

# A second Ctrl-C does not wait for a client that never ends.
start serve --echo
mkfifo keep
nc 10.77.0.2 7 <keep &
exec 3>keep
wait_for "the connection" sh -c "'$estab' ss --state established -H | grep -q ESTAB"
kill -INT "$server"
sleep 0.3
kill -INT "$server"
status=0
wait "$server" || status=$?
((status == 1)) && grep -q 'interrupted again' errors || fail "the second Ctrl-C: $status"
left_nothing
