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
  [[nodiscard]] std::size_t true_size() const { return true_size_; }
  [[nodiscard]] std::size_t count_true_size() const;  // From scratch.
  // Copies text behind the rest; returns how much found memory. `room`: no more is to come before
  // some of it is acknowledged, which chunks need not be larger than.
  std::size_t append(PacketPool& pool, Bytes text, std::size_t room = SIZE_MAX);
  // Forgets the first n octets.
  void consume(std::uint32_t n);
  // Shares [offset, offset + length) with a packet; returns how much found room in it.
  std::uint32_t share(std::uint32_t offset, std::uint32_t length, Packet& packet);
  void clear() { consume(size_); }

 private:
  Buffer* head_ = nullptr;
  Buffer* tail_ = nullptr;
  Buffer* cursor_ = nullptr;         // Where the last share() ended; bulk goes on from there.
  std::uint32_t cursor_offset_ = 0;  // Queue offset of the cursor's first octet.
  std::uint32_t head_skip_ = 0;      // Octets of the head that were acknowledged.
  std::uint32_t size_ = 0;
  std::uint32_t true_size_ = 0;
};

}  // namespace estab::tcp
