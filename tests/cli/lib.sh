# SPDX-License-Identifier: Apache-2.0
# Sourced by the tests of the command, whose first argument is the command: each runs in a network
# namespace and a folder of its own, or is skipped, with the reason, where it may not make one.
# ESTAB_LONG=1 takes the full sizes.
set -euo pipefail
estab=$1

if [[ -z ${ESTAB_TEST_FOLDER:-} ]]; then
  new=(unshare --net)
  if ((EUID != 0)); then new=(unshare --net --map-root-user); fi
  if ! "${new[@]}" true 2>/dev/null; then
    echo "skipped: no network namespace may be made here; root may"
    exit 77
  fi
  if ! (: <>/dev/net/tun) 2>/dev/null; then
    echo "skipped: /dev/net/tun is not here, or not for this user"
    exit 77
  fi
  ESTAB_TEST_FOLDER=$(mktemp -d)
  export ESTAB_TEST_FOLDER
  trap 'rm -rf "$ESTAB_TEST_FOLDER"' EXIT
  status=0
  "${new[@]}" bash "$0" "$@" || status=$?
  exit "$status"
fi

cd "$ESTAB_TEST_FOLDER"
export XDG_RUNTIME_DIR=$ESTAB_TEST_FOLDER LC_ALL=C.UTF-8
unset NO_COLOR COLUMNS
ip link set lo up
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT

fail() {
  echo "FAILED at line ${BASH_LINENO[1]}: $*" >&2
  [[ -s errors ]] && sed 's/^/  its errors: /' errors >&2
  exit 1
}

# wait_for WHAT COMMAND…: until the command succeeds; half a minute is for a machine under load.
wait_for() {
  local what=$1 i
  shift
  for ((i = 0; i < 600; ++i)); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.05
  done
  fail "$what did not come to be"
}

# Whether the kernel listens on the port.
listening() { ss -Htln "sport = $1" | grep -q LISTEN; }

# start ARGUMENT…: estab in the background, ready; its pid is $server.
start() {
  : >printed
  "$estab" "$@" >printed 2>errors &
  server=$!
  wait_for "estab $*" ready
}
ready() { grep -q 'Ctrl-C ends it' printed || ! kill -0 "$server"; }

# stop: Ctrl-C; it must end well and leave nothing.
stop() {
  local status=0
  kill -INT "$server"
  wait "$server" || status=$?
  ((status == 0)) || fail "estab ended with $status"
  left_nothing
}

left_nothing() {
  ! ip link show estab0 >/dev/null 2>&1 || fail "the device is still there"
  [[ -z $(ls "$XDG_RUNTIME_DIR/estab" 2>/dev/null) ]] || fail "a control socket is still there"
}

# expect_failure CODE PATTERN COMMAND…: it ends with the code, says the words in one or two lines,
# and leaves nothing.
expect_failure() {
  local code=$1 pattern=$2 status=0
  shift 2
  timeout 60 "$@" >printed 2>errors || status=$?
  ((status == code)) || fail "$* ended with $status, not $code"
  grep -Eq "$pattern" errors || fail "$* does not say: $pattern"
  (($(wc -l <errors) <= 2)) || fail "$* says more than two lines"
  left_nothing
}

# same A B: the files hold the same.
same() { cmp "$1" "$2" || fail "$1 and $2 differ"; }

# How many MiB a transfer is: the first number, or with ESTAB_LONG=1 the second.
mebibytes() { if [[ ${ESTAB_LONG:-} == 1 ]]; then echo "$2"; else echo "$1"; fi; }
random_file() { head -c "$(($2 << 20))" /dev/urandom >"$1"; }

# forged_syns ROUNDS COUNT: so many times, fifty a second, so many SYNs to estab's port 7 from
# addresses that never were; they go no further than the device that the test made.
forged_syns() {  # In the background: kill $! ends it.
  exec perl -MSocket -e '
    my ($rounds, $count) = @ARGV;
    socket(my $raw, AF_INET, SOCK_RAW, 255) or die $!;
    my $to = pack "C4", 10, 77, 0, 2;
    for (1 .. $rounds) {
      for (1 .. $count) {
        my $from = pack "C4", 20 + int rand 50, rand 256, rand 256, 1 + rand 254;
        my $tcp = pack "nnNNCCnnn", 1024 + rand 60000, 7, rand 2**32, 0, 0x50, 2, 65535, 0, 0;
        my $sum = unpack("%32n*", $from . $to . pack("nn", 6, 20) . $tcp);
        $sum = ($sum & 0xffff) + ($sum >> 16) for 1 .. 2;
        substr $tcp, 16, 2, pack "n", ~$sum & 0xffff;
        my $ip = pack "CCnnnCCn", 0x45, 0, 40, 0, 0, 64, 6, 0;
        send $raw, $ip . $from . $to . $tcp, 0, sockaddr_in(0, $to);
      }
      select undef, undef, undef, 0.02;
    }' "$@"
}
