// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace estab {

// A connection that may be ended.
struct Candidate {
  std::uint32_t index = 0;
  std::uint64_t network = 0;  // Of its peer: /24 of IPv4, /56 of IPv6; its hash.
  std::uint64_t weight = 0;   // What ending it frees: bytes, or 1 where the number counts.
  std::uint32_t overdue = 0;  // How long it has made no progress, in ms.
};

// Which of them to end so that `wanted` is freed, in this order. The network that holds most, by
// weight times the time that it has been held without progress, loses first: the connection of its
// own that is longest without progress, if that is `patience` ms by now; and so on, so that no
// network loses one for another that
// holds more. Sorts `all`. O(n log n).
[[nodiscard]] std::vector<std::uint32_t> choose_victims(std::span<Candidate> all,
                                                        std::uint64_t wanted,
                                                        std::uint32_t patience, std::size_t most);

}  // namespace estab
