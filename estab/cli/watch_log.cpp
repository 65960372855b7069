// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/watch_log.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace estab::cli {
namespace {

using observe::Evidence, observe::HandshakeCounts, observe::Verdict;

// "2026-11-22T23:40:01.250Z"
std::string time_text(Instant at) {
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  return fmt::format("{:%FT%T}.{:03}Z", fmt::gmtime(std::time_t(seconds.count())),
                     (since - seconds).count());
}

// "spoofed-flood"
std::string word(std::string_view name) {
  std::string text{name};
  std::ranges::replace(text, ' ', '-');
  return text;
}

class Line {
 public:
  Line& text(std::string_view key, std::string_view value) {
    out_ += fmt::format("{}{}={}", out_.empty() ? "" : " ", key, value);
    return *this;
  }
  Line& number(std::string_view key, double value) {
    // Counts have no fraction; shares and levels three digits of one.
    auto shown = fmt::format("{:.3f}", value);
    shown.erase(shown.find_last_not_of('0') + 1);
    if (shown.back() == '.') shown.pop_back();
    return text(key, shown == "-0" ? "0" : shown);
  }
  template <class T> Line& gauge(std::string_view key, const std::optional<T>& value) {
    return value ? text(key, std::to_string(*value)) : *this;
  }
  Line& yes(std::string_view key, bool value) { return text(key, value ? "yes" : "no"); }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

std::string listener_text(const Endpoint& listener) {
  return listener == Endpoint{} ? "all" : listener.to_string();
}

void add_counts(Line& line, const std::string& prefix, const HandshakeCounts& c) {
  line.number(prefix + "syns", c.syns)
      .number(prefix + "completed", c.completed)
      .number(prefix + "failed", c.failed)
      .number(prefix + "reset", c.reset)
      .number(prefix + "unanswered", c.unanswered)
      .number(prefix + "silent", c.silent);
}

void add_arms(Line& line, const Evidence& e) {
  line.number("weight", e.weight)
      .number("usual_completed", e.usual_completed)
      .number("least_completed", e.least_completed)
      .number("excess", e.excess)
      .number("alarm_level", e.alarm_level)
      .yes("alarm", e.alarm_a)
      .number("usual_failed_share", e.usual_failed_share)
      .number("warning_level", e.warning_level)
      .yes("warning", e.warning)
      .number("known_failed_share", e.known_failed_share)
      .number("unknown_failed_share", e.unknown_failed_share)
      .number("control_level", e.control_level)
      .yes("control_alarm", e.alarm_c)
      .yes("bad", e.bad)
      .number("usual_rate", e.usual_rate)
      .number("usual_silent_share", e.usual_silent_share);
}

void add_spread(Line& line, const Evidence& e) {
  const auto& s = e.spread;
  line.number("sources", e.sources)
      .number("prefixes", e.prefixes)
      .number("completed_sources", e.completed_sources)
      .number("failure_samples", s.samples)
      .number("failure_sources", s.sources)
      .number("failure_prefixes", s.prefixes)
      .number("repeated_share", s.repeated)
      .number("known_share", s.known);
  if (s.samples > 0)
    line.text("top_host", s.top_host.to_string())
        .number("top_host_share", s.top_host_share)
        .number("top_hosts", s.top_hosts)
        .number("top_hosts_share", s.top_hosts_share)
        .text("top_prefix", s.top_prefix.to_string())
        .number("top_prefix_share", s.top_prefix_share);
  line.number("prefix_entropy", s.prefix_entropy);
}

void add_gauges(Line& line, const Evidence& e) {
  const auto& g = e.gauges;
  line.gauge("half_open", g.half_open)
      .gauge("half_open_limit", g.half_open_limit)
      .gauge("accept_queue", g.accept_queue)
      .gauge("accept_limit", g.accept_limit)
      .gauge("accepted", g.accepted);
  if (g.half_open_timeout) line.number("half_open_timeout_ms", g.half_open_timeout->count());
  line.yes("under_pressure", e.lights.under_pressure)
      .yes("slow_application", e.lights.slow_application);
}

// What the source can tell: "matched,proven,answers,…".
std::string knows(const observe::HandshakeSource& s) {
  std::string text;
  const auto say = [&](bool has, std::string_view name) {
    if (has) text += fmt::format("{}{}", text.empty() ? "" : ",", name);
  };
  say(s.matched, "matched");
  say(s.proven, "proven");
  say(s.answers, "answers");
  say(s.repeats, "repeats");
  say(s.resets, "resets");
  say(s.data, "data");
  return text.empty() ? "counts" : text;
}

}  // namespace

std::string watch_log_line(const observe::FloodReport& report) {
  const auto& e = report.evidence;
  Line line;
  line.text("time", time_text(e.until))
      .text("listener", listener_text(e.listener))
      .text("verdict", word(to_string(report.verdict)))
      .yes("attack", report.attack())
      .text("words", '"' + report.in_words() + '"')
      .text("cohort", time_text(e.cohort))
      .text("knows", knows(e.source));
  add_counts(line, "", e.counts);
  add_counts(line, "recent_", e.recent);
  add_arms(line, e);
  add_spread(line, e);
  add_gauges(line, e);
  return line.take();
}

void WatchLog::report(const observe::FloodReport& report) {
  const auto& listener = report.evidence.listener;
  const Said now{report.verdict, report.evidence.lights};
  const auto at = said_.find(listener);
  if (now == (at == said_.end() ? Said{} : at->second)) return;
  if (now == Said{}) said_.erase(at);
  else said_[listener] = now;
  worst_ = std::max(worst_, report.verdict);
  ++lines_;
  sink_(watch_log_line(report));
}

std::string to_hex(const HashKey& key) { return fmt::format("{:016x}{:016x}", key[0], key[1]); }

std::optional<HashKey> parse_key(std::string_view text) {
  HashKey key{};
  if (text.size() != 32) return {};
  for (std::size_t i = 0; i < 2; ++i) {
    const auto half = text.substr(i * 16, 16);
    const auto [end, error] = std::from_chars(half.data(), half.data() + 16, key[i], 16);
    if (error != std::errc{} || end != half.data() + 16) return {};
  }
  return key;
}

}  // namespace estab::cli
