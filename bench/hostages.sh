#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One estab serve --http, and clients made by hand that hold on to its memory; beside them curl asks
# for a small file every 100 ms for 60 seconds.
#   bench/hostages.sh a|b|c|d     (as root; curl, jq)
#     a  3,000 ask for 8 MiB and never read
#     b  the same with --memory-limit 128MiB, and 20 honest readers of 1 KB/s
#     c  16,000 ask for 64 KiB and vanish
#     d  5,000 close with their window shut and answer probes
# It waits until the last of them is gone, at most 8 minutes, and looks at the memory 60 s later.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
scene=${1:-}
begin curl jq
options=() slow=slow:20:10.89.0.0/24:/large:8192
case $scene in
  a) groups=(hold:3000:10.88.0.0/16:/large:65535) ;;
  b) groups=($slow hold:3000:10.88.0.0/16:/large:65535) options=(--memory-limit 128MiB) ;;
  c) groups=(vanish:16000:10.88.0.0/16:/medium:65535) ;;
  d) groups=(close:5000:10.88.0.0/16:/medium:1000) ;;
  *) die "which one? a, b, c or d" ;;
esac
mkdir "$folder/www"
head -c $((8 << 20)) /dev/urandom >"$folder/www/large"
head -c 65536 /dev/urandom >"$folder/www/medium"
echo hello >"$folder/www/small"
serve --http "$folder/www" ${options[@]+"${options[@]}"}
here curl -s -o "$folder/copy" http://10.77.0.2:8080/small
start=$(resident)
echo "at the start $start MiB resident"
peers 600 "${groups[@]}"

# One line a request: its seconds, and curl's exit code.
ask() {
  local status=0
  here curl -sS --max-time 20 -o /dev/null -w '%{time_total}' http://10.77.0.2:8080/small \
    2>>"$folder/curl" || status=$?
  echo " $status"
}
# What waits, and the most that is resident meanwhile, each second.
watch() {
  local peak=0 now
  while sleep 1; do
    now=$(resident) || return 0
    ((now > peak)) && peak=$now && echo "$peak" >"$folder/peak"
  done
}
watch &
watching=$!
asking=()
began=$SECONDS
for ((i = 0; i < 600; ++i)); do
  ask >"$folder/ask.$i" &
  asking+=($!)
  sleep 0.1
done
wait "${asking[@]}"
cat "$folder"/ask.* >"$folder/asked"
echo "curl: $(wc -l <"$folder/asked") requests in $((SECONDS - began)) s"
check "requests that failed" "$(awk '$NF != 0 { n++ } END { print n + 0 }' "$folder/asked")" == 0
check "requests over 1 s, %" \
  "$(awk '$1 > 1 { n++ } END { print 100 * n / NR }' "$folder/asked")" '<=' 1
check "the slowest request, s" "$(sort -g "$folder/asked" | tail -n 1 | cut -d' ' -f1)" '<=' 3.5
cat "$folder/peers" | tail -n ${#groups[@]} | sed 's/^/  /'

# Connections that estab still has, orphans among them. While it hangs, there are some.
count() { here "$estab" ss --json 2>/dev/null | jq "[.[].connections[] $1] | length"; }
connections() { count ''; }
orphans() { count '| select(.orphan)'; }
echo "after curl: $(connections) connections, $(orphans) orphans"
while ((SECONDS - began < 480)) && [[ $(connections) != 0 ]]; do
  if [[ $scene == b && $(connections) -le 20 && -n $(peer slow reset) ]]; then break; fi
  sleep 2
done
ended=$((SECONDS - began))
check "connections that are left $ended s after the first" "$(connections)" '<=' \
  "$([[ $scene == b ]] && echo 20 || echo 0)"
check "orphans that are left then" "$(orphans)" == 0
# Of c and d the stack's own limit is the bound.
case $scene in a) most=400 ;; b) most=250 ;; *) most=1100 ;; esac
check "the most that was resident, MiB" "$(<"$folder/peak")" '<=' $most
case $scene in
  a)
    check "hostages that were let in" "$(($(peer hold open) + $(peer hold reset)))" == 3000
    check "seconds without an acknowledged byte of the first ended" \
      "$(peer hold least_stall)" '>=' 60 ;;
  b)
    check "hostages that were ended" "$(peer hold reset)" '>=' 1
    check "honest slow readers that are still served" "$(peer slow open)" == 20 ;;
esac
sleep 60
check "resident 60 s later, above the start, MiB" "$(($(resident) - start))" '<=' 64
echo "what estab said:"
sort "$folder/errors" | uniq -c | sort -rn | head -n 12
kill $watching 2>/dev/null || true
exit $failed
