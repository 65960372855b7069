// SPDX-License-Identifier: Apache-2.0
#include "exposition.hpp"

#include <regex>
#include <sstream>

namespace estab::admin {
namespace {

class Reader {
 public:
  explicit Reader(MetricsFormat format) : open_metrics_(format == MetricsFormat::open_metrics) {}

  Exposition read(const std::string& text) {
    if (text.empty() || text.back() != '\n') fault("the last line has no end");
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      line_ = line;
      if (ended_) fault("text after # EOF");
      if (line.starts_with('#')) metadata(line);
      else sample(line);
    }
    if (open_metrics_ != ended_) fault("# EOF belongs to OpenMetrics, and to its end");
    return std::move(found_);
  }

 private:
  void fault(const std::string& what) { found_.faults.push_back(what + ": " + line_); }

  void metadata(const std::string& line) {
    static const std::regex form("# (HELP|TYPE|UNIT) ([a-z][a-z0-9_]*) (.+)");
    std::smatch match;
    if (line == "# EOF") {
      ended_ = true;
    } else if (!std::regex_match(line, match, form)) {
      fault("no metadata");
    } else {
      begin(match[2]);
      if (!told_.insert(match[1]).second) fault("told twice");
      if (match[1] == "TYPE") type(match[3]);
      if (match[1] == "UNIT" && (!open_metrics_ || !family_.ends_with("_" + match[3].str())))
        fault("a unit ends the family's name");
      if (match[1] == "HELP" && match[3].str().find_first_of("\\\"") != std::string::npos)
        fault("an escape that the formats disagree on");
    }
  }

  void begin(const std::string& family) {
    if (family == family_) {
      if (sampled_) fault("metadata after samples");
      return;
    }
    if (!families_.insert(family).second) fault("the family was here before");
    family_ = family;
    told_.clear();
    sampled_ = false;
  }

  void type(const std::string& type) {
    found_.types[family_] = type;
    const bool known = type == "gauge" || type == "counter" || (type == "info" && open_metrics_);
    if (!known) fault("an unknown type");
    // The suffix is the sample's in OpenMetrics, and the family's too in the older format.
    const auto suffix = type == "counter" ? "_total" : type == "info" ? "_info" : "";
    name_ = open_metrics_ ? family_ + suffix : family_;
    if (!name_.ends_with(suffix) || (type != "counter" && name_.ends_with("_total")))
      fault("the suffix is not the type's");
  }

  void sample(const std::string& line) {
    static const std::string label = R"re([a-z_]+="(?:[^"\\\n]|\\[\\"n])*")re";
    static const std::regex form("([a-z][a-z0-9_]*)(?:\\{(" + label + "(?:," + label +
                                 ")*)\\})? ([0-9]+(?:\\.[0-9]+)?(?:e[+-]?[0-9]+)?)");
    static const std::regex one(label);
    std::smatch match;
    if (!std::regex_match(line, match, form)) return fault("no sample");
    if (match[1] != name_) fault("not its family's name");
    if (!told_.contains("TYPE") || !told_.contains("HELP")) fault("no TYPE or HELP before it");
    sampled_ = true;
    const std::string labels = match[2];
    const auto series = match[1].str() + (labels.empty() ? "" : "{" + labels + "}");
    if (!found_.series.emplace(series, std::stod(match[3])).second) fault("it was here before");
    auto& values = found_.label_values[match[1]];
    for (std::sregex_iterator it(labels.begin(), labels.end(), one), end; it != end; ++it)
      values.insert(it->str());
  }

  bool open_metrics_, ended_ = false, sampled_ = false;
  std::string line_, family_, name_;
  std::set<std::string> families_, told_;
  Exposition found_;
};

}  // namespace

Exposition read(const std::string& text, MetricsFormat format) { return Reader(format).read(text); }

Snapshot busy_snapshot() {
  Snapshot s;
  s.listeners.push_back({.local = {Address::v4(10, 77, 0, 2), Port{80}},
                         .half_open = 101,
                         .half_open_limit = 102,
                         .accept_queue = 103,
                         .accept_limit = 104,
                         .accepted = 105,
                         .half_open_overflows = 106,
                         .accept_overflows = 107,
                         .mode = SynMode::stateless,
                         .in_mode = 1250ms,
                         .syns = 108,
                         .evicted = 109,
                         .cookies_sent = 110,
                         .cookies_valid = 111,
                         .cookies_bad = 112,
                         .cookies_limited = 113,
                         .syn_acks_limited = 114,
                         .syn_acks_retransmitted = 115});
  s.listeners.push_back({.local = {*Address::parse("fd00:77::2"), Port{443}}});
  for (const auto state : {State::established, State::established, State::close_wait,
                           State::syn_received, State::time_wait})
    s.connections.push_back({.flow = {}, .state = state});
  s.half_open.resize(2);
  s.time_wait.resize(3);
  for (std::size_t i = 0; i < reason_count; ++i)
    for (std::size_t n = 0; n < 200 + i; ++n) s.counters.count(Reason(i));
  s.memory = 116;
  s.memory_limit = 117;
  return s;
}

std::vector<observe::ListenerPicture> flooded() {
  return {{.listener = {}, .verdict = observe::Verdict::few_hosts},
          {.listener = {Address::v4(10, 77, 0, 2), Port{80}},
           .verdict = observe::Verdict::spoofed_flood,
           .lights = {.under_pressure = true}}};
}

}  // namespace estab::admin
