// SPDX-License-Identifier: Apache-2.0
#include "heap.hpp"

#include <malloc.h>

#include <cstdlib>
#include <new>

namespace {

constexpr std::ptrdiff_t malloc_header = sizeof(std::size_t);
thread_local std::ptrdiff_t held = 0;
thread_local std::uint64_t allocations = 0;

void* count(void* block) {
  ++allocations;
  if (block != nullptr) held += std::ptrdiff_t(::malloc_usable_size(block)) + malloc_header;
  return block;
}

void* or_throw(void* block) {
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

void forget(void* block) {
  if (block != nullptr) held -= std::ptrdiff_t(::malloc_usable_size(block)) + malloc_header;
  std::free(block);
}

void* aligned(std::size_t size, std::align_val_t alignment) {
  const auto a = std::size_t(alignment);
  return count(std::aligned_alloc(a, (size + a - 1) / a * a));
}

}  // namespace

std::ptrdiff_t estab::bench::heap_bytes() { return held; }
std::uint64_t estab::bench::heap_allocations() { return allocations; }

// The standard library's array forms come here as well, but a sanitizer's do not.
void* operator new[](std::size_t size) { return ::operator new(size); }
void operator delete[](void* block) noexcept { forget(block); }
void operator delete[](void* block, std::size_t) noexcept { forget(block); }
void* operator new(std::size_t size) { return or_throw(count(std::malloc(size))); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return count(std::malloc(size));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return or_throw(aligned(size, alignment));
}
void operator delete(void* block) noexcept { forget(block); }
void operator delete(void* block, std::size_t) noexcept { forget(block); }
void operator delete(void* block, std::align_val_t) noexcept { forget(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { forget(block); }
