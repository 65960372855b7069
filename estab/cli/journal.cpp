// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/journal.hpp"

#include <fmt/core.h>

#include "estab/base/time.hpp"

namespace estab::cli {

void Journal::say(std::string_view kind, std::string line) {
  const bool quiet = waiting_.empty();
  const auto [entry, is_first] = waiting_.try_emplace(kind);
  if (is_first) {
    fmt::print(stderr, "estab: {}\n", line);
  } else {
    entry->second.last = std::move(line);
    ++entry->second.lines;
  }
  if (quiet) next_second();
}

void Journal::next_second() {
  timer_.expires_after(1s);
  timer_.async_wait([weak = std::weak_ptr(alive_)](boost::system::error_code cancelled) {
    const auto self = weak.lock();
    if (!cancelled && self && self->print_waiting()) self->next_second();
  });
}

// A kind that had nothing to add is forgotten: its next line is a first one.
bool Journal::print_waiting() {
  for (auto entry = waiting_.begin(); entry != waiting_.end();) {
    auto& [last, lines] = entry->second;
    if (lines == 0) {
      entry = waiting_.erase(entry);
      continue;
    }
    fmt::print(stderr, "estab: {}{}\n", last,
               lines > 1 ? fmt::format(" ({} times within a second)", lines) : "");
    lines = 0;
    ++entry;
  }
  return !waiting_.empty();
}

}  // namespace estab::cli
