// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/watch_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "estab/cli/bars.hpp"

namespace estab::cli {
namespace {

using observe::HandshakeSecond;
using observe::ListenerPicture;
using observe::PrefixShare;
using observe::Verdict;

// "143/1,024", or as much of it as is known.
std::string level(std::optional<std::uint64_t> now, std::optional<std::uint64_t> limit) {
  if (!now) return "-";
  if (!limit) return short_count(*now, 7);
  return short_count(*now, 6) + "/" + short_count(*limit, 6);
}

double share_of(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : std::min(1.0, double(part) / double(whole));
}

Ink ink_of_share(double share) {
  return share >= 0.75 ? Ink::red : share >= 0.25 ? Ink::yellow : Ink::green;
}

// "failing handshakes" takes the room of two columns of a list.
std::string short_name(Verdict verdict) {
  return verdict == Verdict::failing ? "failing" : std::string(to_string(verdict));
}

// Where the columns of the list of listeners begin; 0: there is no room for it.
struct Columns {
  unsigned name = 2, name_end = 0, level = 0, level_end = 0, bar = 0, bar_end = 0, accept_end = 0,
           mode = 0, verdict = 0;
};

Columns columns_for(unsigned width, unsigned longest_name) {
  constexpr unsigned verdict = 14, mode = 9, accept = 9, level = 13;
  Columns c;
  unsigned left = width;
  const auto take = [&](unsigned columns) {
    if (left < columns + 1) return false;
    left -= columns + 1;
    return true;
  };
  take(c.name - 1);
  const bool has_verdict = take(verdict), has_level = left > 17 + level && take(level);
  const bool has_accept = left > 17 + accept && take(accept);
  const bool has_mode = left > 17 + mode && take(mode);
  const unsigned names = std::min(longest_name, std::max(left, 17u));
  left -= std::min(left, names);
  const unsigned bar = left >= 5 ? std::min(left - 1, 30u) : 0;
  unsigned at = c.name_end = c.name + names;
  if (has_level) c.level = at + 1, at = c.level_end = at + 1 + level;
  if (bar > 0) c.bar = at + 1, at = c.bar_end = at + 1 + bar;
  if (has_accept) at = c.accept_end = at + 1 + accept;
  if (has_mode) c.mode = at + 1, at += 1 + mode;
  if (has_verdict) c.verdict = at + 1;
  return c;
}

void draw_listener(const Pane& line, const ListenerPicture& picture, const Columns& at) {
  const auto& gauges = picture.gauges;
  const auto half_open = half_open_of(picture);
  line.put(at.name, 0,
           clip_text(listener_name(picture.listener), at.name_end - at.name, line.utf8()));
  if (at.level > 0) line.put_right(at.level_end, 0, level(half_open, gauges.half_open_limit));
  if (at.bar > 0 && gauges.half_open_limit) {
    const auto share = share_of(half_open, *gauges.half_open_limit);
    line.columns(at.bar, at.bar_end - at.bar).fill(0, line.utf8() ? "░" : ".", Ink::faint);
    line.put(at.bar, 0, level_bar(share, at.bar_end - at.bar, line.utf8()), ink_of_share(share));
  }
  if (at.accept_end > 0)
    line.put_right(at.accept_end, 0, level(gauges.accept_queue, gauges.accept_limit));
  if (at.mode > 0)
    line.put(at.mode, 0, picture.mode.empty() ? "-" : picture.mode,
             picture.mode.empty() || picture.mode == "NORMAL" ? Ink::plain : Ink::yellow);
  if (at.verdict > 0)
    line.put(at.verdict, 0,
             clip_text(short_name(picture.verdict), line.width() - at.verdict, line.utf8()),
             ink_of(picture.verdict));
}

void draw_listener_heading(const Pane& line, const Columns& at) {
  line.put(at.name, 0, "Listener", Ink::faint);
  if (at.level > 0) line.put_right(at.level_end, 0, "Half-open", Ink::faint);
  if (at.accept_end > 0) line.put_right(at.accept_end, 0, "Accept", Ink::faint);
  if (at.mode > 0) line.put(at.mode, 0, "Mode", Ink::faint);
  if (at.verdict > 0) line.put(at.verdict, 0, "Verdict", Ink::faint);
}

// What stands at the left of a sparkline.
constexpr unsigned rate_name = 10, rate_number = 7, rate_most = 11,
                   rate_columns = rate_name + rate_number + rate_most + 1;

void draw_rate(const Pane& pane, std::string_view name, std::span<const HandshakeSecond> seconds,
               std::uint32_t HandshakeSecond::* rate, std::uint32_t highest, Ink ink, bool known) {
  const auto bottom = pane.height() - 1;
  pane.put(0, bottom, name);
  if (!known) {
    pane.put(rate_name, bottom, "this source does not see it", Ink::faint);
    return;
  }
  std::uint32_t most = 0;
  for (const auto& second : seconds) most = std::max(most, second.*rate);
  const auto now = seconds.empty() ? 0 : seconds.back().*rate;
  pane.put_right(rate_name + rate_number, bottom, short_count(now, rate_number), Ink::strong);
  pane.put_right(rate_columns - 1, bottom, "max " + short_count(most, rate_most - 5), Ink::faint);
  if (pane.width() <= rate_columns) return;
  const auto room = pane.columns(rate_columns, pane.width() - rate_columns);
  const auto shown = seconds.last(std::min<std::size_t>(seconds.size(), room.width()));
  for (std::size_t i = 0; i < shown.size(); ++i)
    draw_column(room, room.width() - unsigned(shown.size()) + unsigned(i), 1,
                share_of(shown[i].*rate, highest), ink);
}

// Of the classes of ages those in which a connection can be half-open, or is.
unsigned ages_shown(const ListenerPicture& picture) {
  const auto timeout = picture.gauges.half_open_timeout.value_or(observe::half_open_ages.back());
  const auto last = std::ranges::lower_bound(observe::half_open_ages, timeout);
  auto classes = unsigned(last - observe::half_open_ages.begin()) + 1;
  for (auto i = unsigned(picture.half_open.size()); i > classes; --i)
    if (picture.half_open[i - 1] > 0) return i;
  return std::min(classes, unsigned(picture.half_open.size()));
}

}  // namespace

std::string short_time(Milliseconds time) {
  const auto ms = time.count();
  if (ms < 10'000) return fmt::format("{:.{}f} s", ms / 1000.0, ms < 1000 ? 3 : 1);
  if (ms < 120'000) return fmt::format("{} s", ms / 1000);
  if (ms < 7'200'000) return fmt::format("{} min", ms / 60'000);
  return fmt::format("{} h", ms / 3'600'000);
}

std::string short_count(std::uint64_t count, unsigned width) {
  auto text = std::to_string(count);
  for (auto at = int(text.size()) - 3; at > 0; at -= 3) text.insert(std::size_t(at), ",");
  if (text.size() <= width) return text;
  double number = double(count);
  for (const char unit : {'k', 'M', 'G', 'T'}) {
    number /= 1000;
    for (const int decimals : {1, 0}) {
      auto shorter = fmt::format("{:.{}f}{}", number, decimals, unit);
      if (shorter.size() <= width && number < 1000) return shorter;
    }
  }
  return text;
}

std::string listener_name(const Endpoint& listener) {
  if (listener == Endpoint{}) return "all listeners";
  if (listener.address.is_unspecified()) return fmt::format("*:{}", number(listener.port));
  return listener.to_string();
}

std::uint64_t half_open_of(const ListenerPicture& picture) {
  if (picture.gauges.half_open) return *picture.gauges.half_open;
  return std::accumulate(picture.half_open.begin(), picture.half_open.end(), std::uint64_t{0});
}

Ink ink_of(Verdict verdict) {
  if (is_attack(verdict)) return Ink::alarm;
  return verdict == Verdict::quiet ? Ink::green : Ink::yellow;
}

void draw_listeners(const Pane& pane, std::span<const ListenerPicture> pictures,
                    std::size_t selected, bool heading) {
  unsigned longest = 8;
  for (const auto& picture : pictures)
    longest = std::max(longest, columns_of(listener_name(picture.listener)));
  const auto at = columns_for(pane.width(), longest);
  if (heading) draw_listener_heading(pane.rows(0, 1), at);
  const auto lines = pane.rows(heading ? 1 : 0, pane.height());
  const std::size_t room = lines.height();
  if (room == 0) return;
  const bool all = pictures.size() <= room;
  const std::size_t shown = all ? pictures.size() : std::max<std::size_t>(room - (room > 1), 1);
  const auto first = std::min(selected - std::min(selected, shown / 2), pictures.size() - shown);
  for (std::size_t i = 0; i < shown; ++i) {
    const auto line = lines.rows(unsigned(i), 1);
    if (first + i == selected) line.put(0, 0, pane.utf8() ? "►" : ">", Ink::strong);
    draw_listener(line, pictures[first + i], at);
  }
  if (all || room == 1) return;
  lines.put(at.name, unsigned(shown),
            fmt::format("and {} listeners more, {} above", pictures.size() - shown, first),
            Ink::faint);
}

void draw_lights(const Pane& pane, const ListenerPicture& picture) {
  pane.fill(0, pane.utf8() ? "─" : "-", Ink::faint);
  const auto name = fmt::format(" {} ", listener_name(picture.listener));
  unsigned x = pane.put(1, 0, clip_text(name, pane.width() / 2, pane.utf8()), Ink::strong);
  const auto say = [&](bool on, std::string_view text, Ink ink) {
    const auto light =
        fmt::format(" {} {} ", pane.utf8() ? (on ? "●" : "○") : (on ? "[x]" : "[ ]"), text);
    if (x + 1 + columns_of(light) > pane.width()) return;
    x = pane.put(x + 1, 0, light, on ? ink : Ink::faint);
  };
  say(is_attack(picture.verdict), "attack", Ink::alarm);
  say(picture.lights.under_pressure, "under pressure", Ink::yellow);
  say(picture.lights.slow_application, "application slow", Ink::yellow);
}

void draw_rates(const Pane& pane, const ListenerPicture& picture) {
  const std::span seconds{picture.seconds};
  const auto height = std::max(pane.height() / 3, 1u);
  const auto room = pane.width() - std::min(pane.width(), rate_columns);
  const auto shown = seconds.last(std::min<std::size_t>(seconds.size(), room));
  // One scale for all, so that they can be compared.
  std::uint32_t highest = 1;
  for (const auto& s : shown) highest = std::max({highest, s.syns, s.answered, s.completed});
  const auto draw = [&](unsigned row, std::string_view name, auto rate, Ink ink, bool known) {
    draw_rate(pane.rows(row * height, height), name, seconds, rate, highest, ink, known);
  };
  draw(0, "SYN/s", &HandshakeSecond::syns, Ink::yellow, true);
  draw(1, "answered", &HandshakeSecond::answered, Ink::cyan, picture.source.answers);
  draw(2, "completed", &HandshakeSecond::completed, Ink::green, true);
}

void draw_half_open(const Pane& pane, const ListenerPicture& picture) {
  static constexpr std::array<std::string_view, observe::half_open_ages.size() + 1> ages{
      "0.2", "1", "3", "7", "15", "31", "63", "more"};
  const auto count = half_open_of(picture);
  const auto& limit = picture.gauges.half_open_limit;
  auto x = pane.put(0, 0, "Half-open by age", Ink::strong);
  x = pane.put(x + 2, 0,
               limit ? fmt::format("{}/{}", short_count(count, 7), short_count(*limit, 7))
                     : short_count(count, 12));
  if (limit) {
    const auto share = share_of(count, *limit);
    pane.put_right(pane.width(), 0, fmt::format("{:.0f} %", share * 100), ink_of_share(share));
  }
  if (pane.height() < 2) return;
  const auto classes = ages_shown(picture);
  const auto step = std::max(pane.width() / classes, 1u);
  const auto most = *std::ranges::max_element(picture.half_open);
  const auto bars = pane.rows(1, pane.height() - 2);
  for (unsigned i = 0; i < classes; ++i) {
    const auto n = picture.half_open[i];
    draw_counted_column(bars.columns(i * step, step), n, share_of(n, most),
                        i < 3   ? Ink::green
                        : i < 5 ? Ink::yellow
                                : Ink::red);
    const bool timed = i + 1 < ages.size();
    pane.columns(i * step, step)
        .put(0, pane.height() - 1,
             fmt::format("{}{}{}", timed ? "<" : "", ages[i], timed && step > 5 ? "s" : ""),
             Ink::faint);
  }
}

void draw_prefixes(const Pane& pane, const ListenerPicture& picture) {
  constexpr unsigned count = 8, done = 6;
  const auto width = pane.width();
  const unsigned numbers = count + done + 1;
  pane.put(0, 0, "Top prefixes", Ink::strong);
  pane.put_right(width - done, 0, "SYNs", Ink::faint);
  pane.put_right(width, 0, "done", Ink::faint);
  if (picture.prefixes.empty()) pane.put(0, 1, "No SYN in 30 s.", Ink::faint);
  std::size_t longest = 12;
  for (const auto& share : picture.prefixes)
    longest = std::max(longest, share.prefix.to_string().size());
  const auto name = std::min(unsigned(longest), width - std::min(width, numbers));
  const auto bar = width - std::min(width, name + 1 + numbers);
  for (unsigned i = 0; i < picture.prefixes.size() && i + 1 < pane.height(); ++i) {
    const auto& [prefix, syns, completed] = picture.prefixes[i];
    const auto y = i + 1;
    pane.put(0, y, clip_text(prefix.to_string(), name, pane.utf8()));
    pane.columns(name + 1, bar)
        .put(0, y, level_bar(share_of(syns, picture.prefixes[0].syns), bar, pane.utf8()),
             Ink::faint);
    pane.put_right(width - done, y, short_count(syns, count));
    if (!picture.source.matched) pane.put_right(width, y, "?", Ink::faint);
    else
      pane.put_right(width, y, fmt::format("{:.0f} %", 100 * share_of(completed, syns)),
                     completed == 0         ? Ink::red
                     : completed * 2 < syns ? Ink::yellow
                                            : Ink::green);
  }
}

}  // namespace estab::cli
