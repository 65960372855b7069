// SPDX-License-Identifier: Apache-2.0
#include "estab/observe/ladder_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace estab::observe {
namespace {

constexpr std::size_t least_dashes = 2;  // On either side of an arrow's words.

struct Glyphs {
  std::string_view post, dash, dots, right, left, cross;
};
constexpr Glyphs box{"│", "─", "·", "►", "◄", "×"};
constexpr Glyphs ascii{"|", "-", ".", ">", "<", "x"};

std::string_view sgr(Tone tone) {
  switch (tone) {
    case Tone::plain:   return "";
    case Tone::opening: return "\x1b[32m";
    case Tone::closing: return "\x1b[36m";
    case Tone::trouble: return "\x1b[31m";
    case Tone::again:   return "\x1b[33m";
    case Tone::faint:   return "\x1b[2m";
    case Tone::strong:  return "\x1b[1m";
  }
  std::unreachable();
}

// All that a ladder prints takes one column a character.
std::size_t columns(std::string_view text) {
  return std::size_t(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

// The first `limit` columns.
std::string_view clip(std::string_view text, std::size_t limit) {
  std::size_t end = 0;
  for (; end < text.size(); ++end)
    if ((text[end] & 0xc0) != 0x80 && limit-- == 0) break;
  return text.substr(0, end);
}

std::vector<std::string> wrap(const std::vector<std::string>& words, std::size_t width) {
  std::vector<std::string> lines;
  for (const auto& word : words) {
    const std::string_view fits = clip(word, width);
    if (lines.empty() || columns(lines.back()) + 1 + columns(fits) > width)
      lines.emplace_back(fits);
    else lines.back().append(" ").append(fits);
  }
  return lines;
}

// In ASCII, the one sign outside it that reasons use is spelt out.
std::vector<std::string> words_of(std::string text, bool utf8) {
  constexpr std::string_view sign = "§";
  if (!utf8)
    for (std::size_t at; (at = text.find(sign)) != std::string::npos;)
      text.replace(at, sign.size(), "section ");
  std::vector<std::string> words;
  for (std::size_t begin = 0, end; begin < text.size(); begin = end + 1) {
    end = std::min(text.find(' ', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
  }
  return words;
}

}  // namespace

// A line under way, which knows how many columns it has.
class LadderPage::Line {
 public:
  explicit Line(bool coloured) : coloured_(coloured) {}
  void add(std::string_view text, Tone tone = Tone::plain) {
    columns_ += columns(text);
    const bool coloured =
        coloured_ && !sgr(tone).empty() && text.find_first_not_of(' ') != std::string_view::npos;
    if (coloured) text_ += sgr(tone);
    text_ += text;
    if (coloured) text_ += "\x1b[0m";
  }
  void add(std::string_view text, std::size_t times, Tone tone) {
    std::string repeated;
    while (times-- > 0) repeated += text;
    add(repeated, tone);
  }
  void fill_to(std::size_t column) {
    if (columns_ < column) add(std::string(column - columns_, ' '));
  }
  void print(const Sink& sink) {
    text_.erase(text_.find_last_not_of(' ') + 1);
    sink(text_);
  }

 private:
  bool coloured_;
  std::string text_;
  std::size_t columns_ = 0;
};

// What one line of a rung shows.
struct LadderPage::Row {
  std::string text;
  Tone tone = Tone::plain;
};

LadderPage::LadderPage(const LadderStyle& style, Sink sink)
    : style_(style), sink_(std::move(sink)) {
  const auto least = unsigned(left_columns() + right_columns()) + 2 + style_.least_arrow;
  style_.width = std::clamp(style_.width, least, std::max(least, 120u));
}

std::size_t LadderPage::flow_columns() const { return show_flows_ ? 5 : 0; }
std::size_t LadderPage::left_columns() const {
  return style_.time_columns + 1 + style_.state_columns + 1;
}
std::size_t LadderPage::right_columns() const { return 1 + style_.state_columns; }

// Seconds, as fine as the columns allow.
std::string LadderPage::time_text(std::optional<Duration> time) const {
  if (!time) return std::string(style_.time_columns, ' ');
  const double seconds = std::chrono::duration<double>(*time).count();
  int digits = 1;
  for (double limit = 10; seconds >= limit; limit *= 10) ++digits;
  const int decimals = std::clamp(int(style_.time_columns) - 1 - digits, 0, 6);
  return fmt::format("{:{}.{}f}", seconds, style_.time_columns, decimals);
}

std::size_t LadderPage::arrow_columns() const {
  return style_.width - flow_columns() - left_columns() - right_columns() - 2;
}

void LadderPage::heading(unsigned flow, const std::string& left, const std::string& right) {
  const std::size_t left_post = flow_columns() + left_columns();
  const std::size_t right_post = left_post + 1 + arrow_columns();
  const auto left_begin = left_post + 1 - std::min(columns(left), left_post + 1);
  const auto right_begin = std::min<std::size_t>(right_post, style_.width - columns(right));
  const std::string number = show_flows_ ? fmt::format("#{} ", flow) : "";
  Line line{style_.colour};
  line.add(number, Tone::strong);
  line.fill_to(left_begin);
  line.add(left, Tone::strong);
  const bool one_line = std::max(number.size(), left_begin) + columns(left) + 2 <= right_begin;
  if (one_line) line.fill_to(right_begin);
  else line.print(sink_), line = Line{style_.colour}, line.fill_to(right_begin);
  line.add(right, Tone::strong);
  line.print(sink_);
}

void LadderPage::note(std::optional<Duration> time, const std::string& text, Tone tone) {
  const std::size_t indent = flow_columns() + style_.time_columns + 1;
  for (const auto& row : wrap(words_of(text, style_.utf8), style_.width - indent)) {
    Line line{style_.colour};
    line.fill_to(flow_columns());
    line.add(time_text(std::exchange(time, std::nullopt)), Tone::faint);
    line.fill_to(indent);
    line.add(row, tone);
    line.print(sink_);
  }
}

// Between the posts: dashes where the segment is seen to be, dots where it is not, the words in
// the middle.
void LadderPage::draw_arrow(Line& line, const Rung& rung, const std::string& label) const {
  const Glyphs& g = style_.utf8 ? box : ascii;
  const std::size_t room = arrow_columns() - columns(label) - 2;
  const std::size_t before = room / 2, after = room - before;
  const auto tail = [&](std::size_t n) {
    line.add(rung.reach == Reach::arriving ? g.dots : g.dash, n, rung.tone);
  };
  const auto head = [&](std::size_t n) {
    const auto tip = rung.rightwards ? g.right : g.left;
    std::vector<std::pair<std::string_view, std::size_t>> parts;
    switch (rung.reach) {
      case Reach::none:      break;
      case Reach::whole:
      case Reach::arriving:  parts = {{g.dash, n - 1}, {tip, 1}}; break;
      case Reach::departing: parts = {{g.dots, n}}; break;
      case Reach::lost:      parts = {{g.dash, n / 2}, {g.cross, 1}, {" ", n - n / 2 - 1}}; break;
      case Reach::refused:   parts = {{g.dash, n - 1}, {g.cross, 1}}; break;
    }
    if (!rung.rightwards) std::ranges::reverse(parts);
    for (const auto& [glyph, times] : parts)
      line.add(glyph, times, glyph == g.cross ? Tone::trouble : rung.tone);
  };
  if (rung.rightwards) tail(before);
  else head(before);
  line.add(" ");
  line.add(label, rung.tone);
  line.add(" ");
  if (rung.rightwards) head(after);
  else tail(after);
}

// The first row is the arrow's, where there is one.
std::vector<LadderPage::Row> LadderPage::rows_of(const Rung& rung) const {
  const std::size_t width = arrow_columns() - 2 * (least_dashes + 1);
  std::vector<Row> rows;
  const auto append = [&](const std::vector<std::string>& words, Tone tone) {
    for (auto& text : wrap(words, width)) rows.push_back({std::move(text), tone});
  };
  append(rung.words, rung.tone);
  const auto details = wrap(rung.details, width);
  if (rows.size() == 1 && details.size() == 1 &&
      columns(rows[0].text) + 1 + columns(details[0]) <= width)
    rows[0].text += " " + details[0];
  else append(rung.details, Tone::faint);
  for (const auto& remark : rung.remarks) append(words_of(remark, style_.utf8), rung.remark_tone);
  return rows;
}

void LadderPage::rung(const Rung& rung) {
  const Glyphs& g = style_.utf8 ? box : ascii;
  const auto& [left, right] = rung.states;
  auto rows = rows_of(rung);
  rows.resize(std::max({rows.size(), left.size(), right.size(), std::size_t{1}}));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Line line{style_.colour};
    if (show_flows_ && i == 0) line.add(fmt::format("#{} ", rung.flow));
    line.fill_to(flow_columns());
    line.add(time_text(i == 0 ? rung.time : std::nullopt), Tone::faint);
    const auto& state = i < left.size() ? left[i] : "";
    line.fill_to(flow_columns() + left_columns() - 1 - state.size());
    line.add(state, state.starts_with('(') ? Tone::faint : Tone::strong);
    line.add(" ");
    line.add(g.post);
    if (i == 0 && rung.reach != Reach::none) {
      draw_arrow(line, rung, rows[i].text);
    } else {
      line.add(std::string((arrow_columns() - columns(rows[i].text)) / 2, ' '));
      line.add(rows[i].text, rows[i].tone);
    }
    line.fill_to(flow_columns() + left_columns() + 1 + arrow_columns());
    line.add(g.post);
    const std::string& far = i < right.size() ? right[i] : std::string{};
    line.add(" ");
    line.add(far, far.starts_with('(') ? Tone::faint : Tone::strong);
    line.print(sink_);
  }
}

}  // namespace estab::observe
