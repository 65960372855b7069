#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# expect.sh STATUS PATTERN COMMAND…: runs the command; it must end with this exit status and its
# output must match the pattern (an extended regular expression; a dot matches a line's end too).
# CTest's PASS_REGULAR_EXPRESSION looks at the output alone: a crash after the words would pass, and
# a semicolon splits it into two patterns, one of which is enough.
set -uo pipefail
expected=$1 pattern=$2
shift 2
output=$("$@" 2>&1)
status=$?
printf '%s\n' "$output"
if ((status != expected)); then echo "FAILED: it ended with $status, not $expected"; exit 1; fi
if [[ ! $output =~ $pattern ]]; then echo "FAILED: its output does not match: $pattern"; exit 1; fi
