// SPDX-License-Identifier: Apache-2.0
// In-order text that the program has not read: the packets that brought it, or, for small text,
// a compact copy, so that one octet never pins a large buffer (design: decision 4).
#pragma once
#include "estab/base/packet.hpp"

namespace estab::tcp {

class ReceiveQueue {
 public:
  [[nodiscard]] std::uint32_t size() const { return size_; }
  [[nodiscard]] std::size_t true_size() const { return true_size_; }
  [[nodiscard]] std::size_t count_true_size() const;  // From scratch.
  // Takes a packet stripped to its text.
  void push(PacketPool& pool, Packet text);
  // Moves up to out.size() octets to `out`; returns how many.
  std::size_t read(MutableBytes out);
  void pack(PacketPool& pool);  // Has the data take no more memory than they need.
  void clear();

 private:
  PacketList packets_;
  std::uint32_t size_ = 0;
  std::uint32_t true_size_ = 0;
};

// The packet itself, or a right-sized copy where its buffer is mostly empty.
[[nodiscard]] Packet compact(PacketPool& pool, Packet text);

}  // namespace estab::tcp
