# SPDX-License-Identifier: Apache-2.0
# estab watch of a running estab, in peace and under forged SYNs; the word on it in estab ss and on
# the program's own standard error.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

expect_failure 1 'no estab is running' "$estab" watch --once --pid 1

page() { "$estab" watch --once >page 2>&1; }
# shows PATTERN: on the page.
shows() { page && grep -Eq "$1" page; }

start serve --echo --discard
page || fail "the page: $(cat page)"
wait_for "the listeners on the page" shows '10\.77\.0\.2:7|\*:7'
[[ $(nc -N 10.77.0.2 7 <<<hello) == hello ]] || fail "the echo"
wait_for "a good handshake" shows 'ESTAB'
(($(wc -l <page) <= 40 && $(wc -L <page) <= 80)) || fail "the page is larger than 80 x 40"

# A flood of some seconds onto the device that this test made.
forged_syns 500 20 &
flood=$!
wait_for "the verdict on the page" shows 'spoofed flood'
grep -q 'SYN-RCVD' page || fail "no bad handshake: $(cat page)"
[[ $("$estab" ss -l) == *'from '*' sources in '*'spoofed flood'* ]] || fail "the verdict in ss"
"$estab" ss --json >json
grep -qF '"verdict":"spoofed flood","attack":true' json || fail "the verdict in JSON"
grep -q ':7: .*spoofed flood' errors || fail "the verdict in the log: $(cat errors)"
! grep -q ':9: ' errors || fail "a verdict on the quiet listener"
kill $flood 2>/dev/null || true
wait $flood 2>/dev/null || true

# What is no terminal gets a line for each change of a verdict.
timeout --preserve-status -s INT 2 "$estab" watch >followed || fail "it ended with $?"
grep -q 'listener=.*:7 verdict=' followed || fail "the verdicts: $(cat followed)"
stop
expect_failure 2 'pid = x' "$estab" watch --pid x
"$estab" watch --help | grep -q -- '--once' || fail "the help"
