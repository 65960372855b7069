// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <type_traits>

#include "estab/base/bytes.hpp"

namespace estab::host {

// Fills `out` from the system's entropy (getrandom), fit for keys. Any thread; waits only while
// the system is booting. Throws std::system_error where there is none.
void fill_random(MutableBytes out);

// A plain struct of keys, such as the stack's Secrets, all of it drawn.
template <class T>
[[nodiscard]] T draw_random() {
  static_assert(std::is_trivially_copyable_v<T> && std::has_unique_object_representations_v<T>);
  T value;
  fill_random(std::as_writable_bytes(std::span{&value, 1}));
  return value;
}

}  // namespace estab::host
