// SPDX-License-Identifier: Apache-2.0
#include "estab/tcp/receive_queue.hpp"

#include <algorithm>

#include "estab/tcp/packing.hpp"

namespace estab::tcp {

Packet compact(PacketPool& pool, Packet text) {
  constexpr std::size_t small = 256;
  if (text.true_size() <= 3 * text.size() || text.true_size() <= 2 * small) return text;
  Packet copy = pool.copy(text);
  return copy && copy.true_size() < text.true_size() ? std::move(copy) : std::move(text);
}

void ReceiveQueue::push(PacketPool& pool, Packet text) {
  const std::size_t length = text.size();
  size_ += std::uint32_t(length);
  // Small text goes behind the last, where that has room: it is ours alone unless it has slices.
  if (!packets_.empty() && length <= 512) {
    const bool taken = packets_.with_back([&](Packet& last) {
      if (!last.is_linear() || last.tailroom() < length) return false;
      text.copy_to(last.append(length));
      return true;
    });
    if (taken) return;
  }
  text = compact(pool, std::move(text));
  true_size_ += std::uint32_t(text.true_size());
  packets_.push_back(std::move(text));
}

std::size_t ReceiveQueue::read(MutableBytes out) {
  std::size_t done = 0;
  while (done < out.size() && !packets_.empty()) {
    const bool spent = packets_.with_front([&](Packet& first) {
      const std::size_t before = first.true_size();
      const std::size_t n = first.copy_to(out.subspan(done));
      done += n;
      first.pull_front(n);
      if (first.size() == 0) return true_size_ -= std::uint32_t(before), true;
      true_size_ -= std::uint32_t(before - first.true_size());
      return false;
    });
    if (spent) packets_.pop_front();
  }
  size_ -= std::uint32_t(done);
  return done;
}

void ReceiveQueue::pack(PacketPool& pool) { true_size_ = std::uint32_t(tcp::pack(pool, packets_)); }

std::size_t ReceiveQueue::count_true_size() const {
  std::size_t sum = 0;
  packets_.for_each([&](const Packet& packet) { sum += packet.true_size(); });
  return sum;
}

void ReceiveQueue::clear() {
  packets_.clear();
  size_ = 0;
  true_size_ = 0;
}

}  // namespace estab::tcp
