// SPDX-License-Identifier: Apache-2.0
// How a ladder looks: columns, characters and colours, and nothing of TCP.
//   time  left state │ arrow with words │ right state
#pragma once
#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "estab/base/address.hpp"
#include "estab/base/time.hpp"

namespace estab::observe {

struct LadderStyle {
  unsigned width = 80;      // Columns of the terminal; 64 to 120 are used, with what is set below.
  bool utf8 = true;         // Lines and arrows as box characters; else ASCII alone.
  bool colour = false;      // SGR sequences.
  bool explain = false;     // Reasons as sentences with their clause, for transitions too.
  bool opener_left = true;  // As textbooks have it; else our own end is always on the left.
  std::vector<std::pair<Address, std::string>> names;  // Shown in front of an end's address.
  // Columns of a time, of a state ("(SYN-RECEIVED)"), and at the least of an arrow: 13 hold
  // "SYN,ACK".
  unsigned time_columns = 9, state_columns = 14, least_arrow = 22;
};

enum class Tone : std::uint8_t { plain, opening, closing, trouble, again, faint, strong };

// How far an arrow goes.
enum class Reach : std::uint8_t {
  none,       // No arrow.
  whole,      // From one end to the other.
  departing,  // It left; whether it arrives is another rung's, or nobody's, to say.
  arriving,   // It arrived, having left earlier.
  lost,       // It ends on the way.
  refused,    // It arrived and was not taken.
};

struct Rung {
  std::optional<Duration> time;                    // Since the ladder began.
  unsigned flow = 0;                               // Its number; shown where there are several.
  std::array<std::vector<std::string>, 2> states;  // Left, right: those entered, in order.
  Reach reach = Reach::none;
  bool rightwards = true;
  std::vector<std::string> words, details;  // On the arrow; details below it if need be.
  std::vector<std::string> remarks;         // Below it, a sentence each.
  Tone tone = Tone::plain, remark_tone = Tone::again;
};

class LadderPage {
 public:
  using Sink = std::function<void(std::string_view line)>;  // Without its line end.
  LadderPage(const LadderStyle& style, Sink sink);

  // From now on rungs show their flow's number.
  void show_flows() { show_flows_ = true; }
  void heading(unsigned flow, const std::string& left, const std::string& right);
  // A line to itself, wrapped to the width.
  void note(std::optional<Duration> time, const std::string& text, Tone tone);
  void rung(const Rung& rung);

 private:
  class Line;
  [[nodiscard]] std::size_t flow_columns() const;
  [[nodiscard]] std::size_t left_columns() const;
  [[nodiscard]] std::size_t right_columns() const;
  [[nodiscard]] std::string time_text(std::optional<Duration> time) const;
  [[nodiscard]] std::size_t arrow_columns() const;
  void draw_arrow(Line& line, const Rung& rung, const std::string& label) const;
  struct Row;
  [[nodiscard]] std::vector<Row> rows_of(const Rung& rung) const;

  LadderStyle style_;
  Sink sink_;
  bool show_flows_ = false;
};

}  // namespace estab::observe
