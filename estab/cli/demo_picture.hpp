// SPDX-License-Identifier: Apache-2.0
// What the demo prints: headlines and sentences, and one ladder a scene.
#pragma once
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "estab/cli/terminal.hpp"
#include "estab/observe/ladder_page.hpp"
#include "estab/observe/tracker.hpp"

namespace estab::cli::demo {

// The states of the ends: left, right.
using Columns = std::array<State, 2>;

class Picture {
 public:
  // Prints on standard output, each line when it is drawn.
  explicit Picture(const Terminal& terminal);

  void headline(std::string_view name, std::string_view words);
  // An empty line, then the text, if any, wrapped to the width.
  void paragraph(std::string_view text);
  // As it is, a little indented.
  void verbatim(std::string_view text);
  // A line of columns of these widths; what is too long for its own goes on in further lines.
  void row(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths,
           observe::Tone tone);

  // A ladder: `flow` as the left end sees it. Nothing is drawn yet.
  void begin(const Flow& flow);
  [[nodiscard]] bool begun() const { return tracker_.has_value(); }
  // To be told of each segment in the order in which they leave, drawn or not: it counts sequence
  // numbers from the first.
  void number(const observe::Segment& segment);
  // Who stands where, and in which states.
  void heading(std::array<std::string, 2> names, Columns states);
  // "SYN,ACK seq=K, ack=J+1".
  [[nodiscard]] std::string label(const observe::Segment& segment) const;
  // An arrow; the states are shown where they have changed.
  void arrow(const observe::Segment& segment, observe::Reach reach, Columns states);
  // A remark between the posts.
  void remark(std::string_view words, Columns states);

 private:
  void show(observe::Rung& rung, Columns states);
  void print(std::string_view line);
  [[nodiscard]] std::string plain(std::string_view text) const;
  [[nodiscard]] std::string toned(std::string_view text, observe::Tone tone) const;

  Terminal terminal_;
  observe::LadderPage page_;
  std::optional<observe::FlowTracker> tracker_;
  std::array<std::optional<State>, 2> shown_;
};

}  // namespace estab::cli::demo
