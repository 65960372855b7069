// SPDX-License-Identifier: Apache-2.0
// What estab ss prints, printed again and again.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "estab/base/time.hpp"

namespace estab::cli {

// What is printed of one moment: lines, each with its end.
struct SsFrame {
  std::string table, closing;
};

// The frame below `title` in a terminal of this size: lines cut at the right, the table's middle
// left out, and said so, where it is too long. The closing keeps its place, in up to half of the
// lines. Lines without their ends; never more than `height` of them.
[[nodiscard]] std::vector<std::string> fit_frame(const SsFrame& frame, std::string_view title,
                                                 unsigned width, unsigned height);

// Prints a frame at once and then every `interval`, until SIGINT, SIGTERM or SIGHUP. On a terminal
// each replaces the one before, and a change of its size shows at once. Elsewhere they follow each
// other, each below a line with the time; `titled` false: without it. What `frame` throws the first
// time is passed on; later its words are the frame. Throws Failure where standard output takes no
// more. For a program with one thread: it blocks those signals meanwhile. `between` is called twice
// a second.
void watch_frames(Duration interval, bool titled, const std::function<SsFrame()>& frame,
                  const std::function<void()>& between = {});

}  // namespace estab::cli
