#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs an example against the kernel in a network namespace of its own: try.sh NAME PROGRAM.
# Exit 77: no such namespace, or no TUN device, may be had here.
set -eu
if [ "${ESTAB_NAMESPACE:-}" = "" ]; then
  # Root needs no user namespace, and may not make one everywhere.
  if [ "$(id -u)" = 0 ]; then as=; else as=--map-root-user; fi
  unshare --net $as true 2>/dev/null && [ -w /dev/net/tun ] || exit 77
  ESTAB_NAMESPACE=own exec unshare --net $as "$0" "$@"
fi
name=$1 program=$2
scratch=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || :; rm -r "$scratch"' EXIT
ip link set lo up

# start COMMAND…: runs it in the background until it has said its first line, or 20 seconds.
start() {
  "$@" >"$scratch/out" 2>"$scratch/err" &
  server=$!
  for _ in $(seq 200); do
    [ ! -s "$scratch/out" ] || return 0
    kill -0 "$server" || break
    sleep 0.1
  done
  cat "$scratch/err" >&2
  return 1
}
# stop: ends it by Ctrl-C and wants success.
stop() {
  kill -INT "$server"
  wait "$server"
  server=
}
# same WANTED GOT
same() {
  [ "$1" = "$2" ] || { printf 'wanted: %s\ngot: %s\n' "$1" "$2" >&2; exit 1; }
}
# listens PORT: waits until the kernel listens there.
listens() {
  for _ in $(seq 200); do
    ! ss -Htln "sport = :$1" | grep -q . || return 0
    sleep 0.1
  done
  return 1
}

case $name in
  echo)
    start "$program"
    same "is anybody there" "$(echo 'is anybody there' | nc -N -w 10 10.77.0.2 7)"
    stop
    ;;
  http_server)
    start "$program"
    page=$(curl --silent --show-error --max-time 10 http://10.77.0.2/books)
    same "You asked for /books from 10.77.0.1" "$(echo "$page" | head -n 1 | sed 's/:.*//')"
    stop
    ;;
  client)
    echo "the answer" | nc -l -N 0.0.0.0 7777 >"$scratch/question" &
    listens 7777
    same "the answer" "$(echo 'a question' | "$program" 10.77.0.1 7777)"
    wait $!
    same "a question" "$(cat "$scratch/question")"
    ;;
  relay)
    echo "the answer" | nc -l -N 127.0.0.1 7777 >"$scratch/question" &
    listener=$!
    listens 7777
    start "$program" 127.0.0.1 7777
    same "the answer" "$(echo 'a question' | nc -N -w 10 10.77.0.2 7)"
    wait "$listener"
    same "a question" "$(cat "$scratch/question")"
    stop
    same "11 octets there, 11 back" "$(tail -n 1 "$scratch/out")"
    ;;
esac
