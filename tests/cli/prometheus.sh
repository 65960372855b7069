# SPDX-License-Identifier: Apache-2.0
# Prometheus's promtool reads what estab serves, and what contrib/ has for it.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if ! command -v promtool >/dev/null; then
  echo "skipped: promtool is not here; the Debian package prometheus has it"
  exit 77
fi
source "$here/lib.sh"
contrib=$here/../../contrib

promtool check rules "$contrib/prometheus/estab.rules.yml" >said 2>&1 || fail "$(cat said)"
grep -q '4 rules found' said || fail "$(cat said)"
promtool test rules "$here/estab.rules.test.yml" >said 2>&1 || fail "$(cat said)"

# The dashboard's expressions, as rules: JSON is YAML.
if command -v jq >/dev/null; then
  jq '{groups: [{name: "dashboard", rules: [.panels[].targets[] |
       {record: "panel", expr: (.expr | gsub("\\$__rate_interval"; "1m"))}]}]}' \
    "$contrib/grafana/estab.json" >dashboard.yml
  # Rules of one name and no labels are doubtful to promtool, and no matter here.
  promtool check rules --lint=none dashboard.yml >said 2>&1 || fail "$(cat said)"
  grep -q 'SUCCESS' said || fail "$(cat said)"
fi

start serve --echo --discard --metrics 127.0.0.1:9077
[[ $(nc -N 10.77.0.2 7 <<<hello) == hello ]] || fail "the echo"
curl -sS -H 'Accept: text/plain' http://127.0.0.1:9077/metrics >page
(($(grep -c '^estab_' page) > 100)) || fail "the page"
promtool check metrics <page >said 2>&1 || fail "$(cat said)"
[[ ! -s said ]] || fail "$(cat said)"

# A second reader of OpenMetrics, where the Debian package python3-prometheus-client is here.
if python3 -c 'import prometheus_client' 2>/dev/null; then
  curl -sS http://127.0.0.1:9077/metrics >page
  python3 - >said 2>&1 <<'TEXT' || fail "$(cat said)"
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
families = list(parse(open("page").read()))
assert len(families) > 20, families
TEXT
fi
stop
