// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/watch_screen.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "estab/cli/watch_ladder.hpp"
#include "estab/cli/watch_parts.hpp"

namespace estab::cli {
namespace {

using observe::ListenerPicture;

constexpr unsigned two_columns = 2 * least_ladder_width + 2;  // Two ladders side by side.
constexpr unsigned three_columns = 160;
constexpr unsigned gap = 2;

std::string clock_text(Duration elapsed) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(elapsed).count();
  return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

// Lays the page out from the top and from the bottom; what is between is the listener's.
class Page {
 public:
  Page(const WatchScene& scene, const WatchStyle& style)
      : scene_(scene),
        canvas_(style.width, style.height, style.utf8),
        page_(canvas_.pane()),
        rest_(page_) {}

  std::vector<std::string> draw(bool colour) {
    title();
    if (scene_.keys && page_.height() >= 8) keys(take_below(1));
    if (scene_.pictures.empty()) {
      put_wrapped(take(rest_.height()), "No handshake was seen so far.", Ink::faint);
    } else {
      listeners();
      verdict();
      const auto notes = take_below(notes_height());
      details();
      write_notes(notes);
    }
    if (scene_.help) help();
    return canvas_.lines(colour);
  }

 private:
  [[nodiscard]] const ListenerPicture& picture() const {
    return scene_.pictures[selected_place(scene_)];
  }

  // The next lines from the top, or from the bottom.
  Pane take(unsigned height) {
    const auto taken = rest_.rows(0, height);
    rest_ = rest_.rows(taken.height(), rest_.height());
    return taken;
  }
  Pane take_below(unsigned height) {
    height = std::min(height, rest_.height());
    const auto taken = rest_.rows(rest_.height() - height, height);
    rest_ = rest_.rows(0, rest_.height() - height);
    return taken;
  }
  static unsigned put_wrapped(const Pane& pane, std::string_view text, Ink ink) {
    const auto lines = wrap_text(text, pane.width());
    const auto shown = std::min(unsigned(lines.size()), pane.height());
    for (unsigned y = 0; y < shown; ++y)
      pane.put(0, y,
               y + 1 == shown && shown < lines.size()
                   ? clip_text(lines[y] + " ...", pane.width(), pane.utf8())
                   : lines[y],
               ink);
    return shown;
  }

  void title() {
    const auto line = take(1);
    line.fill(0, " ", Ink::reverse);
    const auto clock = scene_.elapsed ? clock_text(*scene_.elapsed) + " " : std::string();
    const auto right = scene_.state.empty() ? clock : fmt::format("{}  {}", scene_.state, clock);
    const auto left = fmt::format(" estab watch: {}", scene_.source);
    const auto room = line.width() - std::min(line.width(), columns_of(right) + 1);
    line.put(0, 0, clip_text(left, room, line.utf8()), Ink::reverse);
    line.put_right(line.width(), 0, right, Ink::reverse);
  }

  void listeners() {
    const auto height = page_.height();
    const bool heading = height >= 16;
    const auto most = std::max(height / 6, 1u);
    const auto lines = std::min(unsigned(scene_.pictures.size()), most);
    draw_listeners(take(lines + heading), scene_.pictures, selected_place(scene_), heading);
  }

  void verdict() {
    if (rest_.height() == 0) return;
    draw_lights(take(1), picture());
    const auto most = std::clamp((page_.height() + 2) / 6, 1u, 5u);
    const auto words = wrap_text(picture().words, page_.width());
    const auto lines = std::min(unsigned(words.size()), most);
    put_wrapped(take(lines), picture().words, ink_of(picture().verdict));
  }

  [[nodiscard]] unsigned notes_height() const {
    const auto most = rest_.height() < 12 ? 1 : std::max(page_.height() / 12, 1u);
    unsigned lines = 0;
    for (const auto& note : scene_.notes) lines += unsigned(wrap_text(note, page_.width()).size());
    // On a small page something will be left out, and that is said.
    if (page_.width() < two_columns || rest_.height() < 14) lines = std::max(lines, 1u);
    return std::min(lines, most);
  }

  void write_notes(const Pane& pane) {
    auto notes = scene_.notes;
    if (!left_out_.empty())
      notes.insert(notes.begin(),
                   fmt::format("A larger window also shows: {}.", fmt::join(left_out_, ", ")));
    unsigned y = 0;
    for (const auto& note : notes) y += put_wrapped(pane.rows(y, pane.height()), note, Ink::faint);
  }

  void details() {
    if (page_.width() >= three_columns && rest_.height() >= 12) return wide();
    if (rest_.height() >= 3) draw_rates(take(3 * rate_height()), picture());
    else left_out_.emplace_back("rates");
    if (page_.width() >= two_columns) halves();
    else slim();
  }

  [[nodiscard]] unsigned rate_height() const { return std::clamp(rest_.height() / 12, 1u, 4u); }
  [[nodiscard]] unsigned ladder_lines() const {
    unsigned lines = 2;
    for (const auto& handshake : {picture().good, picture().bad})
      if (handshake) lines = std::max(lines, ladder_height(*handshake));
    return std::max(lines, 7u);
  }

  // Queue and prefixes side by side, and below them the ladders.
  void halves() {
    const auto [left, right] = in_two(page_.width());
    const unsigned ladders = std::min(ladder_lines(), rest_.height() - rest_.height() * 2 / 5);
    if (rest_.height() < 4) return left_out("queue by age, prefixes, handshakes");
    const bool both = rest_.height() >= 9;
    const auto upper = take(both ? rest_.height() - ladders : rest_.height());
    draw_half_open(upper.columns(0, left), picture());
    draw_prefixes(upper.columns(left + gap, right), picture());
    if (!both) return left_out("handshakes");
    draw_ladders(take(ladders));
  }

  void draw_ladders(const Pane& pane) {
    const auto [left, right] = in_two(pane.width());
    draw_ladder(pane.columns(0, left), picture(), true);
    draw_ladder(pane.columns(left + gap, right), picture(), false);
  }

  // Above, rates beside prefixes and the queue; below, the ladders.
  void wide() {
    const auto ladders = take_below(std::min(ladder_lines(), rest_.height() / 2));
    const auto upper = take(rest_.height());
    const bool stacked = upper.height() >= 24;
    const auto side = page_.width() / (stacked ? 3 : 4);
    const auto right = upper.columns(page_.width() - side, side);
    auto rates = page_.width() - side - gap;
    if (stacked) {
      draw_prefixes(right.rows(0, 12), picture());
      draw_half_open(right.rows(13, upper.height() - 14), picture());
    } else {
      rates -= side + gap;
      draw_half_open(upper.columns(rates + gap, side), picture());
      draw_prefixes(right, picture());
    }
    draw_rates(upper.part(0, 0, rates, upper.height() - 1), picture());
    draw_ladders(ladders);
  }

  // One below the other, as far as there is room: first what the verdict is about.
  void slim() {
    const auto next = [&](unsigned least, unsigned most, std::string_view name, auto draw) {
      if (rest_.height() < least || page_.width() < least_ladder_width) return left_out(name);
      draw(take(std::min(most, rest_.height())));
    };
    next(4, 6, "queue by age", [&](const Pane& p) { draw_half_open(p, picture()); });
    next(5, ladder_lines(), "bad handshake",
         [&](const Pane& p) { draw_ladder(p, picture(), false); });
    next(5, ladder_lines(), "good handshake",
         [&](const Pane& p) { draw_ladder(p, picture(), true); });
    next(3, 11, "prefixes", [&](const Pane& p) { draw_prefixes(p, picture()); });
  }

  void left_out(std::string_view name) { left_out_.emplace_back(name); }

  static std::pair<unsigned, unsigned> in_two(unsigned width) {
    const auto left = (width - gap) / 2;
    return {left, width - gap - left};
  }

  void keys(const Pane& line) {
    unsigned x = 0;
    const auto say = [&](std::string_view key, std::string_view text) {
      if (x + columns_of(key) + columns_of(text) + 1 > line.width()) return;
      x = line.put(x, 0, key, Ink::strong);
      x = line.put(x + 1, 0, text, Ink::faint) + 2;
    };
    say("q", "quit");
    if (scene_.pictures.size() > 1) say(line.utf8() ? "↑↓" : "j/k", "listener");
    say("space", scene_.state.starts_with("paused") ? "go on" : "pause");
    if (scene_.plays) say("+/-", "speed");
    say("?", "help");
  }

  void help();

  const WatchScene& scene_;
  Canvas canvas_;
  Pane page_, rest_;
  std::vector<std::string> left_out_;
};

constexpr std::pair<std::string_view, std::string_view> help_lines[] = {
    {"up, k / down, j, Tab", "choose a listener"},
    {"space", "pause, and go on"},
    {"+ / -", "a capture: faster, slower"},
    {"?", "this help, and away with it"},
    {"q, Esc, Ctrl-C", "quit"},
    {"", ""},
    {"half-open", "SYN-RECEIVED: answered, no ACK yet"},
    {"accept", "established, not taken yet"},
    {"attack", "named on evidence, see its words"},
    {"under pressure", "the half-open queue was 3/4 full"},
    {"application slow", "so was the accept queue"},
    {"top prefixes", "by SYNs in 30 s, and how many done"},
};

void Page::help() {
  constexpr unsigned key_columns = 21, columns = 60;
  const auto width = std::min(columns, page_.width());
  const auto height = std::min(unsigned(std::size(help_lines)) + 2, page_.height());
  const auto box =
      page_.part((page_.width() - width) / 2, (page_.height() - height) / 2, width, height);
  const auto behind = page_.rows((page_.height() - height) / 2, height);
  for (unsigned y = 0; y < height; ++y) behind.fill(y, " ", Ink::plain);
  behind.fill(0, " ", Ink::reverse);
  box.put(1, 0, "Keys and words", Ink::reverse);
  for (unsigned i = 0; i < std::size(help_lines) && i + 1 < height; ++i) {
    box.put(1, i + 1, help_lines[i].first, Ink::strong);
    box.put(1 + key_columns + 1, i + 1, help_lines[i].second);
  }
  behind.fill(height - 1, page_.utf8() ? "─" : "-", Ink::faint);
}

}  // namespace

std::size_t selected_place(const WatchScene& scene) {
  const auto found = std::ranges::find(scene.pictures, scene.selected, &ListenerPicture::listener);
  return found == scene.pictures.end() ? 0 : std::size_t(found - scene.pictures.begin());
}

std::vector<std::string> watch_screen(const WatchScene& scene, const WatchStyle& style) {
  if (style.width == 0 || style.height == 0) return {};
  return Page(scene, style).draw(style.colour);
}

}  // namespace estab::cli
