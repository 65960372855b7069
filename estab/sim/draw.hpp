// SPDX-License-Identifier: Apache-2.0
// What a world is made of, drawn from its seed.
#pragma once
#include "estab/sim/end.hpp"
#include "estab/sim/network.hpp"

namespace estab::sim {

// Between low and high, each order of magnitude as likely as another; 0 < low <= high.
[[nodiscard]] std::uint64_t draw_scale(Random& random, std::uint64_t low, std::uint64_t high);
[[nodiscard]] StackConfig draw_stack(Random& random);
[[nodiscard]] fault::Impairment draw_impairment(Random& random, const fault::Impairment& worst);

// Both ends' plans; they never both wait for the other to close first.
struct Plans {
  Plan opener, peer;
};
[[nodiscard]] Plans draw_plans(Random& random, std::uint32_t most_octets);

}  // namespace estab::sim
