# SPDX-License-Identifier: Apache-2.0
# Sourced after lib.sh: clients made by hand, on a device of their own; the kernel routes between it
# and estab, which makes it a forwarding hop. The test's second argument is the program that makes
# them.
peers=$2

# crowd SERVER:PORT SECONDS GROUP…: until all have ended, or so long; what it prints is in `crowd`.
crowd() {
  local made
  rm -f go && mkfifo go
  "$peers" peers0 "$@" <go >crowd 2>&1 &
  made=$!
  exec 4>go
  wait_for "the clients' device" grep -q ready crowd
  sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  ip route add 10.88.0.0/15 dev peers0
  ip route add fd88::/64 dev peers0
  echo >&4
  exec 4>&-
  wait $made || fail "the clients: $(cat crowd)"
}
# of KIND FIELD: what was said last.
of() { sed -nE "s/^$1 .*$2=([0-9.]+).*/\1/p" crowd | tail -n 1; }
