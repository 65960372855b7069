// SPDX-License-Identifier: Apache-2.0
#include "estab/observe/ladder_label.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace estab::observe {
namespace {

std::string flag_names(const wire::Flags& f) {
  std::vector<std::string_view> names;
  const auto add = [&](bool set, std::string_view name) {
    if (set) names.push_back(name);
  };
  add(f.syn, "SYN"), add(f.fin, "FIN"), add(f.rst, "RST"), add(f.psh, "PSH"), add(f.urg, "URG");
  add(f.ack, "ACK"), add(f.ece, "ECE"), add(f.cwr, "CWR");
  return names.empty() ? "no flags" : fmt::format("{}", fmt::join(names, ","));
}

// "J+1:J+101(100)": where the text begins, the first number behind it, how much it is.
std::string text_range(const Segment& s, int sender, const FlowTracker& flow) {
  const auto begin = s.tcp.seq + s.tcp.flags.syn;
  return fmt::format("{}:{}({})", flow.number(sender, begin), flow.number(sender, begin + s.text),
                     s.text);
}

std::vector<std::string> details_of(const Segment& s, int sender, const FlowTracker& flow) {
  const auto& [h, o] = std::tie(s.tcp, s.tcp.options);
  std::vector<std::string> details;
  if (s.tcp.flags.syn) {
    if (o.mss) details.push_back(fmt::format("mss={}", *o.mss));
    if (o.sack_permitted) details.push_back("sack");
    if (o.timestamps) details.push_back("ts");
    if (o.window_scale) details.push_back(fmt::format("wscale={}", *o.window_scale));
  } else if (h.window == 0 && !h.flags.rst) {
    details.push_back("win=0");
  }
  if (h.flags.urg) details.push_back("urg=" + flow.number(sender, h.seq + h.urgent));
  for (const auto& block : o.sacks())
    details.push_back(fmt::format("sack={}:{}", flow.number(1 - sender, block.begin),
                                  flow.number(1 - sender, block.end)));
  return details;
}

}  // namespace

Label label_of(const Segment& s, const FlowTracker& flow) {
  const int sender = flow.end_of(s.source);
  Label label{.words = {flag_names(s.tcp.flags)}, .details = details_of(s, sender, flow)};
  if (s.text > 0) label.words.push_back(text_range(s, sender, flow));
  else label.words.push_back("seq=" + flow.number(sender, s.tcp.seq));
  if (s.tcp.flags.ack) {
    label.words.back() += ',';
    label.words.push_back("ack=" + flow.number(1 - sender, s.tcp.ack));
  }
  return label;
}

std::string short_reason(Reason reason) {
  std::string_view name = text(reason).name;
  for (const std::string_view prefix : {"send_", "fault_"})
    if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  std::string words{name};
  std::ranges::replace(words, '_', ' ');
  return words;
}

std::string full_reason(Reason reason) {
  return fmt::format("{} [{}]", text(reason).sentence, text(reason).clause);
}

bool remarkable(Reason reason) {
  using enum Reason;
  const auto in = [&](Reason first, Reason last) { return first <= reason && reason <= last; };
  return in(send_duplicate_ack, send_challenge_ack) ||
         in(send_zero_window_probe, send_limited_transmit) || reason == time_wait_restart ||
         reason == time_wait_reuse || reason == syn_again;
}

}  // namespace estab::observe
