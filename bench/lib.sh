# SPDX-License-Identifier: Apache-2.0
# Sourced by the measurements that play against estab with packets made by hand: network namespaces
# and a folder of their own, that go at the end, also after Ctrl-C. A measurement says what it
# measured, and whether that is within its limit; its exit code is 1 where something is not.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
me=$(basename "$0")
programs=$root/build/release
failed=0

die() {
  echo "$me: $*" >&2
  exit 2
}

# begin PROGRAM…: checks that these are here, and estab with its raw peers.
begin() {
  local program
  ((EUID == 0)) || die "root makes network namespaces and TUN devices; run it as root"
  for program in ip "$@"; do
    command -v "$program" >/dev/null || die "$program is not here"
  done
  for program in estab estab_raw_peers estab_raw_count estab_raw_forge; do
    [[ -x $programs/$program ]] ||
      die "there is no $programs/$program; cmake --preset release && cmake --build --preset release"
  done
  estab=$programs/estab
  folder=$(mktemp -d) host=estab-$$ far=estab-far-$$
  export XDG_RUNTIME_DIR=$folder
  trap finish EXIT
  trap 'exit 130' INT TERM
  ip netns add "$host"
  ip -n "$host" link set lo up
}
finish() {
  local space
  # The jobs are subshells; what they started is known by its namespace.
  for space in "$host" "$far"; do
    kill -KILL $(ip netns pids "$space" 2>/dev/null) 2>/dev/null || true
  done
  wait 2>/dev/null || true
  for space in "$host" "$far"; do ip netns del "$space" 2>/dev/null || true; done
  rm -rf "$folder"
}
here() { ip netns exec "$host" "$@"; }
there() { ip netns exec "$far" "$@"; }

# A second namespace, in which the kernel is the far end; this one routes between it and estab. What
# passes is cut to what a wire would carry.
make_hop() {
  ip netns add "$far"
  ip -n "$far" link set lo up
  ip link add far netns "$host" gso_max_segs 1 mtu 1500 type veth peer name near netns "$far" \
    gso_max_segs 1 mtu 1500
  ip -n "$host" address add 10.99.0.1/24 dev far
  ip -n "$host" address add fd99::1/64 dev far nodad
  ip -n "$far" address add 10.99.0.2/24 dev near
  ip -n "$far" address add fd99::2/64 dev near nodad
  ip -n "$host" link set far up
  ip -n "$far" link set near up
  ip -n "$far" route add default via 10.99.0.1
  ip -n "$far" route add default via fd99::1
  here sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

# wait_for WHAT COMMAND…: until the command succeeds.
wait_for() {
  local what=$1 i
  shift
  for ((i = 0; i < 600; ++i)); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.1
  done
  die "$what did not come to be"
}

# serve ARGUMENT…: estab serve in the background; its pid is $server.
serve() {
  : >"$folder/printed"
  here "$estab" serve "$@" >"$folder/printed" 2>"$folder/errors" &
  server=$!
  wait_for "estab serve" grep -q 'Ctrl-C ends it' "$folder/printed"
  server=$(ip netns pids "$host" | while read -r pid; do
    [[ $(<"/proc/$pid/comm") == estab ]] && echo "$pid"; done | head -n 1)
}
# peers SECONDS GROUP…: raw peers in the background, on a device of their own behind the kernel that
# routes between it and estab; their pid is $crowd, and what they print goes to the file peers.
peers() {
  local seconds=$1
  shift
  mkfifo "$folder/go"
  here "$programs/estab_raw_peers" peers0 10.77.0.2:8080 "$seconds" "$@" <"$folder/go" \
    >"$folder/peers" 2>&1 &
  crowd=$!
  exec {go}>"$folder/go"
  wait_for "the raw peers" grep -q ready "$folder/peers"
  here sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  ip -n "$host" route add 10.88.0.0/15 dev peers0
  echo >&"$go"
  exec {go}>&-
  rm "$folder/go"
}
# peer KIND FIELD: what the raw peers of a kind last said.
peer() { sed -nE "s/^$1 .*\\b$2=([0-9.]+).*/\\1/p" "$folder/peers" | tail -n 1; }

resident() { awk '/^VmRSS/ { print int($2 / 1024) }' "/proc/$server/status"; }  # MiB.

# check NAME FIGURE OPERATOR LIMIT: prints it, and whether it holds.
check() {
  local verdict=pass
  awk -v a="${2:-nan}" -v b="$4" 'BEGIN { exit !('"${2:+a + 0 $3 b + 0}"') }' 2>/dev/null ||
    verdict=FAIL failed=1
  printf '  %-58s %12s   (%s %s)  %s\n' "$1" "${2:-none}" "$3" "$4" "$verdict"
}
