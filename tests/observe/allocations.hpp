// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>

namespace estab::test {

// How often this program's operator new was called; allocations.cpp replaces it.
[[nodiscard]] std::size_t allocations();

}  // namespace estab::test
