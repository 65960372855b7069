// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "estab/base/time.hpp"

namespace estab::fault {

// What a bad path does to the packets of one direction. The default does nothing.
struct Impairment {
  double loss = 0;             // Probability, 0..1, that a packet vanishes.
  double duplicate = 0;        // Probability that it comes twice.
  double corrupt = 0;          // Probability that one of its bits is flipped.
  double reorder = 0;          // Probability that later ones overtake it (see FaultyPath).
  Duration delay{};            // Of every packet.
  Duration jitter{};           // The delay varies by up to this, either way; order is kept.
  std::uint64_t rate = 0;      // Bits a second, of whole IP datagrams; 0: no limit.
  std::uint32_t queue = 1000;  // Packets that may wait for their turn at `rate`; more are dropped.
  std::uint64_t seed = 1;      // The same seed and packets suffer the same harm.

  friend bool operator==(const Impairment&, const Impairment&) = default;
};

// Reads "loss=1%,duplicate=0.01,reorder=5%,corrupt=0.1%,delay=20ms,jitter=5ms,rate=10mbit,
// queue=100,seed=7": any of the fields, each once, in any order; empty text is the default.
// The error is a sentence that says what is wrong and what would be right.
[[nodiscard]] std::expected<Impairment, std::string> parse_impairment(std::string_view text);

// The fields that differ from the default, in a form that parse_impairment reads back exactly.
[[nodiscard]] std::string to_string(const Impairment& impairment);

}  // namespace estab::fault
