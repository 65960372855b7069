// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/watch_ladder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "estab/cli/watch_parts.hpp"
#include "estab/event/state.hpp"
#include "estab/observe/ladder_page.hpp"

namespace estab::cli {
namespace {

using observe::HandshakeMoment;
using observe::HandshakeSource;
using observe::HandshakeStep;
using observe::ListenerPicture;
using observe::Reach;
using observe::Rung;
using observe::SeenHandshake;
using observe::Tone;

constexpr unsigned whole_names = 64;  // From this width on.
constexpr std::string_view text_rung = "text";

bool has(const SeenHandshake& handshake, HandshakeStep step) {
  return std::ranges::find(handshake.moments, step, &HandshakeMoment::step) !=
         handshake.moments.end();
}

// Draws rung by rung; a state is shown when it is entered.
class Climber {
 public:
  Climber(const SeenHandshake& handshake, const HandshakeSource& source, unsigned width)
      : short_(width < whole_names) {
    const auto& moments = handshake.moments;
    completes_ = has(handshake, HandshakeStep::completed);
    reset_ = has(handshake, HandshakeStep::client_reset);
    answered_ = !source.answers || has(handshake, HandshakeStep::syn_ack);
    for (std::size_t i = 0; i < moments.size(); ++i) {
      if (moments[i].step == HandshakeStep::completed) break;
      if (moments[i].step == HandshakeStep::syn_ack) last_answer_ = i;
    }
    add_start();
    for (std::size_t i = 0; i < moments.size(); ++i) add(i, moments[i]);
  }
  [[nodiscard]] std::vector<Rung> rungs() && { return std::move(rungs_); }

 private:
  void add_start() {
    Rung rung;
    enter(rung, 0, State::closed), enter(rung, 1, State::listen);
    rungs_.push_back(std::move(rung));
  }

  void add(std::size_t index, const HandshakeMoment& moment) {
    Rung rung{.time = moment.after, .reach = Reach::whole};
    switch (moment.step) {
      case HandshakeStep::syn:
      case HandshakeStep::syn_again:
        say(rung, "SYN", moment.step == HandshakeStep::syn ? Tone::opening : Tone::again);
        enter(rung, 0, State::syn_sent);
        if (answered_) enter(rung, 1, State::syn_received);
        break;
      case HandshakeStep::syn_ack:
        say(rung, "SYN,ACK", again_ ? Tone::again : Tone::opening);
        again_ = true;
        rung.rightwards = false;
        enter(rung, 1, State::syn_received);
        // The one that the client answered is known to have arrived.
        if (index != last_answer_ || !(completes_ || reset_)) rung.reach = Reach::departing;
        else if (completes_) enter(rung, 0, State::established);
        break;
      case HandshakeStep::completed:
        say(rung, "ACK", Tone::opening);
        enter(rung, 0, State::established), enter(rung, 1, State::established);
        break;
      case HandshakeStep::client_reset:
        say(rung, "RST", Tone::trouble);
        enter(rung, 0, State::closed), enter(rung, 1, State::listen);
        break;
      case HandshakeStep::client_data: say(rung, std::string(text_rung), Tone::plain); break;
      case HandshakeStep::left:
        rung.reach = Reach::none;
        rung.words = {short_ ? "left" : "left the queue"};
        rung.tone = Tone::again;
        break;
    }
    rungs_.push_back(std::move(rung));
  }

  static void say(Rung& rung, std::string words, Tone tone) {
    rung.words.push_back(std::move(words));
    rung.tone = tone;
  }

  void enter(Rung& rung, std::size_t end, State state) {
    if (shown_[end] == state) return;
    shown_[end] = state;
    std::string text{name(state)};
    if (short_ && state == State::syn_received) text = "SYN-RCVD";
    if (short_ && state == State::established) text = "ESTAB";
    rung.states[end].push_back(std::move(text));
  }

  bool short_, completes_ = false, reset_ = false, answered_ = false, again_ = false;
  std::size_t last_answer_ = 0;
  std::array<std::optional<State>, 2> shown_;
  std::vector<Rung> rungs_;
};

// What became of it.
std::string fate(const SeenHandshake& h, const ListenerPicture& picture) {
  const auto& last = h.moments.back();
  if (has(h, HandshakeStep::completed)) {
    const auto done =
        std::ranges::find(h.moments, HandshakeStep::completed, &HandshakeMoment::step);
    return fmt::format("established after {}", short_time(done->after));
  }
  if (has(h, HandshakeStep::client_reset))
    return fmt::format("reset by the client after {}", short_time(last.after));
  if (last.step == HandshakeStep::left)
    return fmt::format("left the queue after {}: why, this source cannot say",
                       short_time(last.after));
  if (picture.source.answers && !has(h, HandshakeStep::syn_ack))
    return "dropped: no SYN,ACK was sent";
  const auto timeout = picture.gauges.half_open_timeout;
  if (timeout && h.age >= *timeout)
    return fmt::format("no ACK came in {}: given up", short_time(*timeout));
  return fmt::format("no ACK for {}", short_time(h.age));
}

// Draws at most `room` lines, the middle left out where there are more.
unsigned draw_rungs(const Pane& pane, std::vector<Rung> rungs, unsigned room) {
  const bool narrow = pane.width() < whole_names;
  std::vector<std::string> lines;
  const observe::LadderStyle style{.width = pane.width(),
                                   .utf8 = pane.utf8(),
                                   .colour = true,
                                   .names = {},
                                   .time_columns = 5,
                                   .state_columns = narrow ? 8u : 12u,
                                   .least_arrow = 13};
  observe::LadderPage page{style, [&](std::string_view line) { lines.emplace_back(line); }};
  const auto all = unsigned(rungs.size());
  for (const auto& rung : rungs) page.rung(rung);
  if (all > room && room > 2) {
    const auto cut = all - room + 1;
    lines.erase(lines.end() - 1 - cut, lines.end() - 1);
    lines.insert(lines.end() - 1, std::string(style.time_columns + 1, ' ') +
                                      fmt::format("\033[2m({} steps more)\033[0m", cut));
  }
  const auto shown = std::min(unsigned(lines.size()), room);
  for (unsigned i = 0; i < shown; ++i) pane.put_coloured(0, i, lines[i]);
  return shown;
}

std::string nothing(const ListenerPicture& picture, bool good) {
  if (!good) return "No handshake failed so far.";
  if (!picture.source.matched)
    return "This source counts the handshakes that complete, and does not see them one by one.";
  return "No handshake completed so far.";
}

}  // namespace

unsigned ladder_height(const SeenHandshake& handshake) {
  return unsigned(handshake.moments.size()) + 3;  // Heading, first states, fate.
}

void draw_ladder(const Pane& pane, const ListenerPicture& picture, bool good) {
  const auto& handshake = good ? picture.good : picture.bad;
  const auto x = pane.put(0, 0, good ? "Good handshake" : "Bad handshake", Ink::strong);
  if (!handshake) {
    unsigned y = 1;
    for (const auto& line : wrap_text(nothing(picture, good), pane.width()))
      pane.put(0, y++, line, Ink::faint);
    return;
  }
  const auto client = handshake->flow.remote.to_string();
  pane.put(x + 1, 0, clip_text(client, pane.width() - std::min(pane.width(), x + 1), pane.utf8()));
  const auto age = fmt::format("{} ago", short_time(handshake->age));
  if (x + 2 + columns_of(client) + columns_of(age) < pane.width())
    pane.put_right(pane.width(), 0, age, Ink::faint);
  if (pane.height() < 3) return;
  auto rungs = Climber(*handshake, picture.source, pane.width()).rungs();
  const auto below = pane.rows(1, pane.height() - 2);
  // What says least goes first: the states before the SYN, and the text behind the handshake.
  if (rungs.size() > below.height()) rungs.erase(rungs.begin());
  if (rungs.size() > below.height() && rungs.back().words.back() == text_rung) rungs.pop_back();
  const auto drawn = draw_rungs(below, std::move(rungs), below.height());
  pane.put(6, 1 + drawn, clip_text(fate(*handshake, picture), pane.width() - 6, pane.utf8()),
           good ? Ink::green : Ink::red);
}

}  // namespace estab::cli
