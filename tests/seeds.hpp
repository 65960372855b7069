// SPDX-License-Identifier: Apache-2.0
// Random operations from a seed. A failure names its seed; ESTAB_SEED=N runs that seed alone, and
// ESTAB_LONG=1 runs a hundred times as many.
#pragma once
#include <gtest/gtest.h>

#include <cstdlib>
#include <string_view>

#include "estab/base/random.hpp"

namespace estab {

// Calls f(Random&) once for each seed from 1 to `count`; stops at the first that fails.
template <class F>
void for_each_seed(unsigned count, F&& f) {
  std::uint64_t first = 1, last = count;
  if (const char* setting = std::getenv("ESTAB_LONG"); setting && std::string_view(setting) == "1")
    last *= 100;
  if (const char* one = std::getenv("ESTAB_SEED")) first = last = std::strtoull(one, nullptr, 10);
  for (auto seed = first; seed <= last; ++seed) {
    SCOPED_TRACE(testing::Message() << "ESTAB_SEED=" << seed);
    Random random{seed};
    f(random);
    if (testing::Test::HasFailure()) return;
  }
}

// Uniform from `low` to `high`, both included.
[[nodiscard]] inline std::uint32_t between(Random& random, std::uint32_t low, std::uint32_t high) {
  return low + std::uint32_t(random.below(std::uint64_t{high} - low + 1));
}

}  // namespace estab
