// SPDX-License-Identifier: Apache-2.0
// Apart from those who allocate, so that no compiler sees half of a pair inlined.
#include "tests/observe/allocations.hpp"

#include <cstdlib>
#include <new>

static std::size_t calls = 0;

std::size_t estab::test::allocations() { return calls; }

void* operator new(std::size_t size) {
  ++calls;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
