# SPDX-License-Identifier: Apache-2.0
# estab demo syn-flood, against the kernel and between two stacks: who is served, and what is said.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# of ACT COLUMN: from the closing table.
of() { sed -n '/what became of/,$p' printed | awk -v act="$1" -v n="$2" '$1 == act { print $n }'; }
served() { of "$1" 3 | cut -d/ -f1; }
tried() { of "$1" 3 | cut -d/ -f2; }

as_told() {
  (($(served undefended) * 2 < $(tried undefended))) || fail "the undefended served too many"
  (($(tried defended) > 100)) || fail "nobody tried the defended"
  [[ $(served defended) == "$(tried defended)" ]] || fail "the defended did not serve all"
  [[ $(served crowd) == "$(tried crowd)" ]] || fail "the crowd was not served"
  (($(tried crowd) > 2000)) || fail "the crowd was none"
  grep -q '^defended .*STATELESS.*spoofed flood$' printed || fail "the flood was not named"
  grep -q '^crowd .*quiet$' printed || fail "the crowd was called something"
  ! sed -n '/crowd: a flash/,/what became/p' printed | grep -q 'Verdict' ||
    fail "an alarm for a crowd"
  ! grep -Eq '.{81}' printed || fail "a line is too long"
}

"$estab" demo syn-flood --simulated >printed 2>errors || fail "the simulated flood failed"
grep -q '^Simulated' printed || fail "it does not say that it is simulated"
as_told

"$estab" demo syn-flood >printed 2>errors || fail "the flood failed"
grep -q '^Real packets' printed || fail "it did not play with the kernel"
as_told
(($(served kernel) * 2 < $(tried kernel))) || fail "the kernel without cookies served too many"
left_nothing

LC_ALL=C "$estab" demo syn-flood --simulated >printed || fail "it failed in ASCII"
! LC_ALL=C grep -q '[^ -~]' printed || fail "what it prints is not ASCII"
expect_failure 2 'syn-flood is played alone' "$estab" demo syn-flood handshake
