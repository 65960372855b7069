# SPDX-License-Identifier: Apache-2.0
# estab connect speaks with the kernel's nc.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

random_file large "$(mebibytes 64 1024)"
random_file medium "$(mebibytes 8 64)"
harm=loss=1%,duplicate=1%,reorder=5%
port=7000

# listen FAMILY ARGUMENT…: nc on the next port, in the background, its pid $peer.
listen() {
  local family=$1
  shift
  port=$((port + 1))
  nc "$family" "$@" -l $port <&0 &  # Or bash takes its input away.
  peer=$!
  wait_for "nc" listening $port
}
peer_of() { if [[ $1 == -4 ]]; then echo 10.77.0.1; else echo fd00:77::1; fi; }

for mtu in 1500 9000; do
  for family in -4 -6; do
    listen $family </dev/null >copy
    "$estab" connect "$(peer_of $family)" $port --mtu $mtu <large || fail "sending"
    wait $peer
    same large copy
  done
done

for family in -4 -6; do
  listen $family -N <medium >back
  "$estab" connect "$(peer_of $family)" $port --impair $harm <medium >copy ||
    fail "both ways, harmed"
  wait $peer
  same medium copy
  same medium back
done

# answer FILE: a peer that sends the file only after our end; nc -l would end itself then.
answer() {
  port=$((port + 1))
  perl -MIO::Socket::INET -e '
    $peer = IO::Socket::INET->new(Listen => 1, LocalPort => $ARGV[0])->accept;
    print while <$peer>;
    open $file, "<", $ARGV[1];
    print $peer $_ while read $file, $_, 65536;' $port "$1" &
  peer=$!
  wait_for "the peer" listening $port
}

# A half-close; from a pipe, to a pipe.
answer medium >question
echo question | "$estab" connect 10.77.0.1 $port | cat >copy
wait $peer
same medium copy
[[ $(<question) == question ]] || fail "what came through the pipe"

# An empty input is an end at once.
answer medium >question
"$estab" connect 10.77.0.1 $port </dev/null >copy
wait $peer
same medium copy
[[ ! -s question ]] || fail "something came from an empty input"
left_nothing

# The ladder and the capture, and what standard output is for stays clean.
listen -4 -N <<<answer >question
echo hello | "$estab" connect 10.77.0.1 $port --ladder --capture c.pcapng >copy 2>ladder
wait $peer
[[ $(<copy) == answer ]] || fail "the ladder is in the output"
grep -q 'SYN' ladder && grep -q 'ESTABLISHED' ladder || fail "$(cat ladder)"
! grep -q $'\e' ladder || fail "colour where there is no terminal"
[[ $(od -An -tx4 -N4 c.pcapng) == *0a0d0d0a ]] || fail "no pcapng"

listen -4 -N <<<answer >question
echo hello | LC_ALL=C "$estab" connect 10.77.0.1 $port --ladder >copy 2>ladder
wait $peer
! LC_ALL=C grep -q '[^ -~]' ladder || fail "not ASCII: $(cat ladder)"
