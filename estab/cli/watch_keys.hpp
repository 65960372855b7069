// SPDX-License-Identifier: Apache-2.0
// What is typed into the watch, read octet by octet: an escape sequence may come in pieces.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace estab::cli {

enum class WatchKey : std::uint8_t { up, down, pause, faster, slower, help, quit };

class WatchKeys {
 public:
  // The key that this octet ends, if any. What means nothing is passed over.
  std::optional<WatchKey> take(char octet);
  // An escape came and nothing after it yet: the key Esc, or the start of a sequence.
  [[nodiscard]] bool waits() const { return state_ == State::escape; }
  // Nothing came for a while.
  std::optional<WatchKey> time_out();

 private:
  enum class State : std::uint8_t { ground, escape, sequence, function };
  std::optional<WatchKey> typed(char octet);
  State state_ = State::ground;
};

}  // namespace estab::cli
