// SPDX-License-Identifier: Apache-2.0
// A verdict and its evidence as one line of text.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "estab/observe/flood_verdict.hpp"

namespace estab::observe {
namespace {

// 1870 as "1,870".
std::string count(double number) {
  auto text = fmt::format("{:.0f}", std::max(number, 0.0));
  for (auto at = int(text.size()) - 3; at > 0; at -= 3) text.insert(std::size_t(at), ",");
  return text;
}

std::string percent(double share) { return fmt::format("{:.0f} %", share * 100); }

std::string listener(const Evidence& e) {
  if (e.listener == Endpoint{}) return "all listeners";
  if (e.listener.address.is_unspecified()) return fmt::format(":{}", number(e.listener.port));
  return e.listener.to_string();
}

// Where each failure was sampled they are counted; else estimated from what did not complete.
std::string sources(const Evidence& e) {
  const auto& s = e.spread;
  if (double(s.samples) >= e.recent.failed)
    return fmt::format("{} sources in {} prefixes", count(s.sources), count(s.prefixes));
  const double hosts = std::clamp(e.sources - e.completed_sources, double(s.sources),
                                  std::max(e.recent.failed, double(s.sources)));
  return fmt::format("about {} sources in {} prefixes", count(hosts),
                     count(std::clamp(e.prefixes, double(s.prefixes), hosts)));
}

std::string half_open(const Evidence& e) {
  if (e.gauges.half_open) return count(*e.gauges.half_open) + " half-open";
  return count(e.recent.failed) + " failed";
}

std::string completed(const Evidence& e) {
  return fmt::format("{} of {} completed in {} s", count(e.recent.completed), count(e.recent.syns),
                     judged_after);
}

std::string attack(const Evidence& e) {
  return fmt::format("{} on {} from {}, {}", half_open(e), listener(e), sources(e), completed(e));
}

std::string accept_queue(const Evidence& e) {
  const double now = e.recent.completed / evidence_cohorts;
  const bool crowd = now > 2 * e.usual_rate && e.usual_rate > 0;
  return fmt::format("accept queue {} of {} on {}, {}{}", count(e.gauges.accept_queue.value_or(0)),
                     count(e.gauges.accept_limit.value_or(0)), listener(e), completed(e),
                     crowd ? fmt::format(", {:.1f} times as many as usual: flash crowd, overload",
                                         now / e.usual_rate)
                           : std::string(": overload"));
}

std::string sentence(Verdict verdict, const Evidence& e) {
  const auto name = to_string(verdict);
  const auto& s = e.spread;
  switch (verdict) {
    case Verdict::quiet: return fmt::format("{} on {}: {}", completed(e), listener(e), name);
    case Verdict::failing:
      return fmt::format("{} of {} handshakes on {} failed, usually {}: {}",
                         percent(e.recent.failed / std::max(e.recent.syns, 1.0)),
                         count(e.recent.syns), listener(e), percent(e.usual_failed_share), name);
    case Verdict::half_open_scan:
      return fmt::format("{} of {} on {} were reset by the client: {}", count(e.recent.reset),
                         count(e.recent.syns), listener(e), name);
    case Verdict::overload: return accept_queue(e);
    case Verdict::connect_flood:
      return fmt::format("{} of {} that completed on {} sent nothing, usually {}: {}",
                         count(e.recent.silent), count(e.recent.completed), listener(e),
                         percent(e.usual_silent_share), name);
    case Verdict::path_broken:
      return fmt::format("{}; {} of those that failed asked again, {} are of known prefixes: {}",
                         attack(e), percent(s.repeated), percent(s.known), name);
    case Verdict::few_hosts:
      return fmt::format("{}: {}, {} alone {}, the busiest {} together {}", attack(e), name,
                         s.top_host.to_string(), percent(s.top_host_share), s.top_hosts,
                         percent(s.top_hosts_share));
    case Verdict::reflector:
      return fmt::format("{}: {} against {} ({})", attack(e), name, s.top_prefix.to_string(),
                         percent(s.top_prefix_share));
    case Verdict::spoofed_flood: return fmt::format("{}: {}", attack(e), name);
  }
  return {};
}

std::string doubts_in_words(std::uint8_t open) {
  std::string text;
  const auto say = [&](std::uint8_t bit, std::string_view words) {
    if (open & bit) text += fmt::format("{}{}", text.empty() ? " (" : "; ", words);
  };
  say(doubt::repeating, "sources repeat, so they may be real");
  say(doubt::path, "repeated SYNs are not seen: a broken path is not excluded");
  say(doubt::scan, "resets are not seen: a half-open scan is not excluded");
  say(doubt::answers, "answers are not seen: the server may be silent");
  say(doubt::silence, "text is not seen: a connect flood is not excluded");
  say(doubt::counted, "completions are counted, not matched");
  say(doubt::unproven, "completions are not proven");
  return text.empty() ? text : text + ')';
}

}  // namespace

std::string in_words(Verdict verdict, const Evidence& e) {
  auto line = sentence(verdict, e) + doubts_in_words(doubts(verdict, e));
  if (e.lights.under_pressure) line += "; under pressure";
  if (e.lights.slow_application && verdict != Verdict::overload)
    line += "; the application is too slow to accept";
  return line;
}

}  // namespace estab::observe
