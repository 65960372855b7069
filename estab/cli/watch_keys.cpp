// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/watch_keys.hpp"

#include <utility>

namespace estab::cli {
namespace {

// ECMA-48: a sequence ends with an octet of these; what is in front of it are parameters.
bool ends_sequence(char octet) { return '@' <= octet && octet <= '~'; }

std::optional<WatchKey> arrow(char last) {
  switch (last) {
    case 'A':
    case 'Z': return WatchKey::up;  // Z: Tab backwards.
    case 'B': return WatchKey::down;
    case 'C': return WatchKey::faster;
    case 'D': return WatchKey::slower;
    default:  return {};
  }
}

}  // namespace

std::optional<WatchKey> WatchKeys::take(char octet) {
  switch (state_) {
    case State::ground:
      if (octet == '\033') return state_ = State::escape, std::nullopt;
      return typed(octet);
    case State::escape:
      if (octet == '\033') return WatchKey::quit;  // Typed again by somebody who waits.
      state_ = octet == '[' ? State::sequence : octet == 'O' ? State::function : State::ground;
      return {};
    case State::sequence:
      if (!ends_sequence(octet)) return {};
      state_ = State::ground;
      return arrow(octet);
    case State::function: state_ = State::ground; return arrow(octet);
  }
  std::unreachable();
}

std::optional<WatchKey> WatchKeys::time_out() {
  if (std::exchange(state_, State::ground) == State::escape) return WatchKey::quit;
  return {};
}

std::optional<WatchKey> WatchKeys::typed(char octet) {
  switch (octet) {
    case 'k':    return WatchKey::up;
    case 'j':
    case '\t':   return WatchKey::down;
    case ' ':    return WatchKey::pause;
    case '+':
    case '=':    return WatchKey::faster;
    case '-':
    case '_':    return WatchKey::slower;
    case '?':
    case 'h':    return WatchKey::help;
    case 'q':
    case 'Q':
    case '\003': // Ctrl-C and Ctrl-D, where they are typed and no signals.
    case '\004': return WatchKey::quit;
    default:     return {};
  }
}

}  // namespace estab::cli
