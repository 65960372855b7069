// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "estab/base/random.hpp"
#include "estab/sim/syn_traffic.hpp"

namespace estab::sim {

// An address of the pool; the same pool and seed are the same people.
[[nodiscard]] Address draw_source(const SourcePool& pool, std::uint64_t seed, Random& random);

}  // namespace estab::sim
