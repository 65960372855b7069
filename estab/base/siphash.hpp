// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>

#include "estab/base/bytes.hpp"

namespace estab {

using HashKey = std::array<std::uint64_t, 2>;

// SipHash-2-4 (Aumasson, Bernstein 2012): a keyed hash that a peer without the key cannot steer.
[[nodiscard]] std::uint64_t siphash(const HashKey& key, Bytes data);

}  // namespace estab
