// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace estab {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

// Reads and writes of network byte order; the caller has checked that `at` lies inside.
template <class T>
[[nodiscard]] inline T load_be(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  if constexpr (std::endian::native == std::endian::little && sizeof(T) > 1)
    value = std::byteswap(value);
  return value;
}

template <class T>
inline void store_be(std::byte* at, T value) {
  if constexpr (std::endian::native == std::endian::little && sizeof(T) > 1)
    value = std::byteswap(value);
  std::memcpy(at, &value, sizeof value);
}

inline Bytes as_bytes(const auto& range) { return std::as_bytes(std::span{range}); }

}  // namespace estab
