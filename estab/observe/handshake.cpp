// SPDX-License-Identifier: Apache-2.0
#include "estab/observe/handshake.hpp"

#include <algorithm>
#include <array>

namespace estab::observe {
namespace {

constexpr std::array<std::string_view, 7> names{
    "syn", "syn-again", "syn-ack", "completed", "client-reset", "client-data", "left"};

}  // namespace

std::string_view to_string(HandshakeStep step) { return names[std::size_t(step)]; }

std::optional<HandshakeStep> parse_handshake_step(std::string_view word) {
  const auto found = std::ranges::find(names, word);
  if (found == names.end()) return {};
  return HandshakeStep(found - names.begin());
}

}  // namespace estab::observe
