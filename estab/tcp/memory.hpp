// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>

#include "estab/tcp/buffer_policy.hpp"

namespace estab::tcp {

// The budget of a stack: what is held, at its true size, against the most that may be.
class Memory {
 public:
  explicit Memory(std::uint64_t limit_bytes) : limit_(limit_bytes) {}
  [[nodiscard]] bool has_room(std::size_t bytes) const { return used_ + bytes <= limit_; }
  [[nodiscard]] MemoryPressure pressure() const { return memory_pressure(used_, limit_); }
  // Charges come first, so that those who hold their reserve are served past the limit.
  void charge(std::size_t bytes) { used_ += bytes; }
  void release(std::size_t bytes) { used_ -= bytes; }
  [[nodiscard]] std::uint64_t used() const { return used_; }
  [[nodiscard]] std::uint64_t limit() const { return limit_; }

 private:
  std::uint64_t limit_, used_ = 0;
};

// One connection's share of it.
class Account {
 public:
  // It holds so many bytes now.
  void settle(Memory& memory, std::size_t bytes) {
    memory.release(used_);
    memory.charge(bytes);
    used_ = std::uint32_t(bytes);
  }
  [[nodiscard]] std::uint32_t used() const { return used_; }

 private:
  std::uint32_t used_ = 0;
};

}  // namespace estab::tcp
