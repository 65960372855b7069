// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>

namespace estab::bench {

// Bytes that this program's operator new holds of the heap, at the size that malloc truly gives,
// its header included. heap.cpp replaces the operators; one thread's count.
[[nodiscard]] std::ptrdiff_t heap_bytes();
// How often this thread has asked for heap memory by operator new.
[[nodiscard]] std::uint64_t heap_allocations();

}  // namespace estab::bench
