# SPDX-License-Identifier: Apache-2.0
# Every scene of the demo, against the kernel and between two stacks: after each arrow, ss -tan and
# estab ss --json show the states that are drawn.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

names='handshake why-three push urgent half-close close-client close-server close-three
simultaneous-open simultaneous-close refused time-wait'
export TMPDIR=$PWD/tmp
mkdir tmp

no_folder_left() { [[ -z $(ls tmp) ]] || fail "the folder of the control socket is still there"; }

# all_played: the closing table has each scene, and the page is one for 80 columns and no terminal.
all_played() {
  local name
  for name in $names; do
    grep -Eq "^$name +[A-Z-]+( [A-Z-]+)* +[A-Z-]+.* [0-9]+$" printed || fail "$name was not played"
  done
  ! grep -Eq '.{81}' printed || fail "a line is too long"
  ! grep -q $'\e' printed || fail "there is colour where there is no terminal"
  no_folder_left
}

listed=$("$estab" demo --list | awk '{print $1}' | xargs)
[[ $listed == "$(xargs <<<"$names syn-flood")" ]] || fail "it lists $listed"

"$estab" demo --check >printed 2>errors || fail "a scene with the kernel failed"
grep -q '^Real packets' printed || fail "it did not play with the kernel"
all_played
left_nothing

"$estab" demo --ladder --capture demo.pcapng handshake close-client >printed 2>errors ||
  fail "a captured scene failed"
[[ $(grep -c 'SYN seq=J' printed) == 1 ]] || fail "the ladder is not there"
! grep -Eq 'RFC|After each arrow' printed || fail "the ladder is not alone"
grep -aq 'SYN-SENT -> ESTABLISHED' demo.pcapng || fail "the handshake is not in the capture"
grep -aq 'FIN-WAIT-2 -> TIME-WAIT' demo.pcapng || fail "the close is not in the capture"
expect_failure 1 'capture nowhere/d.pcapng: No such file' "$estab" demo --capture nowhere/d.pcapng
expect_failure 1 'capture /dev/full: No space left' "$estab" demo --capture /dev/full

"$estab" demo --check --simulated >printed 2>errors || fail "a simulated scene failed"
grep -q '^Simulated' printed || fail "it does not say that it is simulated"
all_played

# Where no device may be had it says so, and plays all the same.
unshare --mount sh -c 'mount -t tmpfs none /dev/net && exec "$0" demo' "$estab" >printed 2>errors ||
  fail "it failed where there is no TUN device"
grep -q '^Simulated.*not the Linux kernel' printed || fail "it does not say that there is no device"
all_played

# In ASCII every octet is one.
LC_ALL=C "$estab" demo >printed 2>errors || fail "it failed in ASCII"
! LC_ALL=C grep -q '[^ -~]' printed || fail "what it prints is not ASCII"

# A tool that sees another state is believed.
mkdir liar
printf '#!/bin/sh\necho "CLOSE-WAIT 0 0 10.77.0.1:7001 10.77.0.2:50001"\n' >liar/ss
chmod +x liar/ss
expect_failure 1 'handshake: ss -tan should show LISTEN, and shows CLOSE-WAIT' \
  env PATH="$PWD/liar:$PATH" "$estab" demo --check handshake
no_folder_left
expect_failure 2 "no scene 'overture'" "$estab" demo overture

# Ctrl-C in the middle of a scene.
"$estab" demo --slow --check close-client >printed 2>errors &
demo=$!
wait_for "the middle of the scene" grep -q FIN-WAIT-1 printed
kill -INT "$demo"
status=0
wait "$demo" || status=$?
((status == 1)) || fail "it ended with $status when it was interrupted"
grep -q interrupted errors || fail "it does not say that it was interrupted"
no_folder_left
left_nothing
