// SPDX-License-Identifier: Apache-2.0
// Text that came ahead of its turn (SHLD-31), as ranges of packets in order. It is there only
// while something is missing (design: decision 5). The first copy of an octet wins (threats 54).
#pragma once
#include <optional>
#include <vector>

#include "estab/base/packet.hpp"
#include "estab/base/seq.hpp"
#include "estab/wire/tcp.hpp"

namespace estab::tcp {

class Reassembly {
 public:
  // Takes text that begins at `next` or behind it; what it holds already is cut off. False: it can
  // take no further range.
  [[nodiscard]] bool insert(PacketPool& pool, Seq next, Seq begin, Packet text,
                            std::size_t range_limit);
  // Takes out what has become contiguous at `next`, which moves on behind it; f(Packet) gets it
  // in order.
  template <class F>
  void take(Seq& next, F&& f);

  // Has the data take no more memory than they need.
  void pack(PacketPool& pool);
  // Drops the range that lies farthest ahead. The peer was told of it, and sends it again all the
  // same (RFC 2018 §8); it is not told of it again.
  void drop_last();

  void set_fin(Seq at) { fin_ = at; }
  [[nodiscard]] bool fin_at(Seq next) const { return fin_ && *fin_ == next; }
  [[nodiscard]] bool begins_before(Seq at) const {
    return !ranges_.empty() && ranges_.front().begin < at;
  }
  // The first part of [begin, end) that it holds already.
  [[nodiscard]] std::optional<wire::SackBlock> held(Seq begin, Seq end) const;
  // The range that holds this octet becomes the latest touched.
  void touch(Seq at);
  [[nodiscard]] bool empty() const { return ranges_.empty(); }
  [[nodiscard]] bool idle() const { return ranges_.empty() && !fin_; }
  [[nodiscard]] std::size_t ranges() const { return ranges_.size(); }
  [[nodiscard]] std::size_t size() const { return bytes_; }  // Of data.
  // Bytes of the packets and of the table of ranges; the same counted from scratch.
  [[nodiscard]] std::size_t true_size() const {
    return packet_bytes_ + ranges_.capacity() * sizeof(Range);
  }
  [[nodiscard]] std::size_t count_true_size() const;
  // The ranges for SACK, the latest touched first (RFC 2018 §4); returns how many.
  std::size_t blocks(std::span<wire::SackBlock> out) const;

 private:
  struct Range {
    Seq begin, end;
    std::uint64_t touched;  // When, in insertions: the first block reports the newest.
    PacketList packets;
  };
  bool put(std::size_t at, Seq begin, Packet text, std::size_t range_limit);
  void join(std::size_t at);

  std::vector<Range> ranges_;  // In order; never adjacent, never overlapping.
  std::optional<Seq> fin_;
  std::uint64_t clock_ = 0;
  std::size_t bytes_ = 0;         // Of data.
  std::size_t packet_bytes_ = 0;  // At their true size.
};

template <class F>
void Reassembly::take(Seq& next, F&& f) {
  if (ranges_.empty() || next < ranges_.front().begin) return;
  std::size_t freed = 0;
  Range range = std::move(ranges_.front());
  bytes_ -= distance(range.begin, range.end);
  ranges_.erase(ranges_.begin());
  Seq at = range.begin;
  while (!range.packets.empty()) {
    Packet packet = range.packets.pop_front();
    freed += packet.true_size();
    const auto length = std::uint32_t(packet.size());
    const std::uint32_t old = at < next ? distance(at, next) : 0;  // The gap's filler reached over.
    at += length;
    if (old >= length) continue;
    packet.pull_front(old);
    next = at;
    f(std::move(packet));
  }
  packet_bytes_ -= freed;
  take(next, f);
}

}  // namespace estab::tcp
