// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/demo_picture.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>

#include "estab/observe/ladder_label.hpp"

namespace estab::cli::demo {
namespace {

using observe::Reach;
using observe::Tone;

// Columns that a ladder needs, and beyond which lines of text are not read gladly.
constexpr unsigned narrowest = 64, widest = 100;

// Between words; what stands in square brackets is one.
std::vector<std::string> wrap(std::string_view text, std::size_t width) {
  std::vector<std::string> lines(1);
  while (!text.empty()) {
    const auto from = text.starts_with('[') ? std::min(text.find(']'), text.size()) : 0;
    const auto word = text.substr(0, text.find(' ', from));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (!lines.back().empty() && lines.back().size() + 1 + word.size() > width)
      lines.emplace_back();
    if (!lines.back().empty()) lines.back() += ' ';
    lines.back() += word;
  }
  return lines;
}

Tone tone_of(const wire::Flags& flags) {
  if (flags.rst) return Tone::trouble;
  if (flags.syn) return Tone::opening;
  return flags.fin ? Tone::closing : Tone::plain;
}

}  // namespace

Picture::Picture(const Terminal& terminal)
    : terminal_{.width = std::clamp(terminal.width, narrowest, widest),
                .utf8 = terminal.utf8,
                .colour = terminal.colour},
      page_({.width = terminal_.width, .utf8 = terminal_.utf8, .colour = terminal_.colour},
            [this](std::string_view line) { print(line); }) {}

void Picture::print(std::string_view line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

std::string Picture::plain(std::string_view text) const {
  std::string out(text);
  constexpr std::string_view sign = "§";
  if (!terminal_.utf8)
    for (std::size_t at; (at = out.find(sign)) != std::string::npos;)
      out.replace(at, sign.size(), "section ");
  return out;
}

std::string Picture::toned(std::string_view text, Tone tone) const {
  if (!terminal_.colour || tone != Tone::strong) return std::string(text);
  return fmt::format("\x1b[1m{}\x1b[0m", text);
}

void Picture::headline(std::string_view name, std::string_view words) {
  const auto line = fmt::format("{}: {}", name, words);
  const std::string_view dash = terminal_.utf8 ? "─" : "-";
  std::string rule;
  for (std::size_t i = line.size() + 4; i < terminal_.width; ++i) rule += dash;
  print("");
  print(fmt::format("{0}{0} {1} {2}", dash, toned(line, Tone::strong), rule));
}

void Picture::paragraph(std::string_view text) {
  print("");
  if (text.empty()) return;
  for (const auto& line : wrap(plain(text), terminal_.width)) print(line);
}

void Picture::verbatim(std::string_view text) {
  for (std::size_t end; !text.empty(); text.remove_prefix(std::min(end + 1, text.size()))) {
    end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    print(line.empty() ? "" : fmt::format("  {}", line.substr(0, line.find_last_not_of(' ') + 1)));
  }
}

void Picture::row(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths,
                  Tone tone) {
  std::vector<std::vector<std::string>> wrapped;
  std::size_t height = 0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    wrapped.push_back(wrap(cells[i], widths[i]));
    height = std::max(height, wrapped.back().size());
  }
  for (std::size_t line = 0; line < height; ++line) {
    std::string text;
    for (std::size_t i = 0; i < cells.size(); ++i)
      text += fmt::format("{:<{}}  ", line < wrapped[i].size() ? wrapped[i][line] : "", widths[i]);
    text.erase(text.find_last_not_of(' ') + 1);
    print(toned(text, tone));
  }
}

void Picture::begin(const Flow& flow) {
  tracker_.emplace(flow, observe::Witness::both_ends);
  shown_ = {};
}

void Picture::heading(std::array<std::string, 2> names, Columns states) {
  const auto& [left, right] = tracker_->flow();
  print("");
  page_.heading(1, fmt::format("{} {}", names[0], left.to_string()),
                fmt::format("{} {}", names[1], right.to_string()));
  observe::Rung rung;
  show(rung, states);
  page_.rung(rung);
}

void Picture::number(const observe::Segment& segment) {
  tracker_->event({.kind = EventKind::sent, .flow = tracker_->flow()}, &segment);
}

std::string Picture::label(const observe::Segment& segment) const {
  return fmt::format("{}", fmt::join(observe::label_of(segment, *tracker_).words, " "));
}

void Picture::arrow(const observe::Segment& segment, Reach reach, Columns states) {
  auto [words, details] = observe::label_of(segment, *tracker_);
  observe::Rung rung;
  rung.reach = reach;
  rung.rightwards = tracker_->end_of(segment.source) == 0;
  rung.words = std::move(words);
  // Details are told where the segment is first seen.
  if (reach != Reach::arriving) rung.details = std::move(details);
  rung.tone = tone_of(segment.tcp.flags);
  show(rung, states);
  page_.rung(rung);
}

void Picture::remark(std::string_view words, Columns states) {
  observe::Rung rung;
  rung.remarks.emplace_back(words);
  rung.remark_tone = Tone::faint;
  show(rung, states);
  page_.rung(rung);
}

void Picture::show(observe::Rung& rung, Columns states) {
  for (std::size_t end = 0; end < states.size(); ++end) {
    if (shown_[end] == states[end]) continue;
    shown_[end] = states[end];
    rung.states[end].emplace_back(name(states[end]));
  }
}

}  // namespace estab::cli::demo
