// SPDX-License-Identifier: Apache-2.0
// The parts of the watch's page, each drawn into a pane of any size.
#pragma once
#include <span>

#include "estab/cli/canvas.hpp"
#include "estab/observe/handshake_board.hpp"

namespace estab::cli {

// "0.080 s", "12 s", "3 min", "2 h".
[[nodiscard]] std::string short_time(Milliseconds time);
// "1,870"; where that is too wide, "18.7k", "2.1M".
[[nodiscard]] std::string short_count(std::uint64_t count, unsigned width);
// "all listeners", "*:80", "192.0.2.80:80".
[[nodiscard]] std::string listener_name(const Endpoint& listener);
// How many are half-open, by the gauge, or as far as is known.
[[nodiscard]] std::uint64_t half_open_of(const observe::ListenerPicture& picture);
[[nodiscard]] Ink ink_of(observe::Verdict verdict);

// A heading and a line a listener, the selected one marked; a part of them around it where there
// are more than lines.
void draw_listeners(const Pane& pane, std::span<const observe::ListenerPicture> pictures,
                    std::size_t selected, bool heading);
// A line with the listener's name, its mode and the lights.
void draw_lights(const Pane& pane, const observe::ListenerPicture& picture);
// SYNs, answers and completions a second: now, at most, and as sparklines of a third of the height.
void draw_rates(const Pane& pane, const observe::ListenerPicture& picture);
// The half-open queue by age, as columns, below its limit.
void draw_half_open(const Pane& pane, const observe::ListenerPicture& picture);
void draw_prefixes(const Pane& pane, const observe::ListenerPicture& picture);

}  // namespace estab::cli
