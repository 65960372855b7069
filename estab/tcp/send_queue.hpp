// SPDX-License-Identifier: Apache-2.0
// What the program wrote and the peer has not acknowledged, in refcounted chunks: a byte is copied
// in once, and every transmission shares it from there (design: decision 3).
#pragma once
#include <algorithm>

#include "estab/base/packet.hpp"

namespace estab::tcp {

class SendQueue {
 public:
  SendQueue() = default;
  SendQueue(const SendQueue&) = delete;
  SendQueue& operator=(const SendQueue&) = delete;
  ~SendQueue() { clear(); }

  [[nodiscard]] std::uint32_t size() const { return size_; }
  // Copies text behind the rest; returns how much found memory. `grown` is told the true bytes
  // that the queue grew by.
  std::size_t append(PacketPool& pool, Bytes text, std::size_t& grown);
  // Forgets the first n octets; returns the true bytes that became free.
  std::size_t consume(std::uint32_t n);
  // Shares [offset, offset + length) with a packet; returns how much found room in it.
  std::uint32_t share(std::uint32_t offset, std::uint32_t length, Packet& packet);
  std::size_t clear() { return consume(size_); }

 private:
  Buffer* head_ = nullptr;
  Buffer* tail_ = nullptr;
  Buffer* cursor_ = nullptr;         // Where the last share() ended; bulk goes on from there.
  std::uint32_t cursor_offset_ = 0;  // Queue offset of the cursor's first octet.
  std::uint32_t head_skip_ = 0;      // Octets of the head that were acknowledged.
  std::uint32_t size_ = 0;
};

}  // namespace estab::tcp
