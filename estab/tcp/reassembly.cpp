// SPDX-License-Identifier: Apache-2.0
#include "estab/tcp/reassembly.hpp"

#include <algorithm>

#include "estab/tcp/packing.hpp"
#include "estab/tcp/receive_queue.hpp"

namespace estab::tcp {

// The text is laid into the gaps between the ranges, from left to right.
bool Reassembly::insert(PacketPool& pool, Seq next, Seq begin, Packet text,
                        std::size_t range_limit) {
  ++clock_;
  bool room = true;
  while (room && text.size() > 0) {
    // The first range that ends at `begin` or behind it, and what it holds already.
    auto range = std::ranges::partition_point(
        ranges_, [&](const Range& r) { return distance(next, r.end) < distance(next, begin); });
    if (range != ranges_.end() && range->begin <= begin) {
      range->touched = clock_;
      const auto held =
          std::min<std::uint32_t>(distance(begin, range->end), std::uint32_t(text.size()));
      text.pull_front(held);
      begin += held;
      if (text.size() == 0) break;
    }
    const auto right = range != ranges_.end() && range->end == begin ? range + 1 : range;
    auto gap = std::uint32_t(text.size());
    if (right != ranges_.end()) gap = std::min(gap, distance(begin, right->begin));
    const bool last = gap == text.size();
    Packet part = last ? compact(pool, std::move(text)) : pool.copy(text, gap);
    room = part && put(std::size_t(range - ranges_.begin()), begin, std::move(part), range_limit);
    if (last) break;
    text.pull_front(gap);
    begin += gap;
  }
  return room;
}

// Lays text into the gap in front of or behind ranges_[at], which it may touch on either side.
bool Reassembly::put(std::size_t at, Seq begin, Packet text, std::size_t range_limit) {
  const Seq end = begin + std::uint32_t(text.size());
  const std::size_t size = text.true_size();
  if (at < ranges_.size() && ranges_[at].end == begin) {
    ranges_[at].packets.push_back(std::move(text));
    ranges_[at].end = end;
    join(at);
  } else if (at < ranges_.size() && ranges_[at].begin == end) {
    ranges_[at].packets.push_front(std::move(text));
    ranges_[at].begin = begin;
  } else {
    if (ranges_.size() >= range_limit) return false;
    ranges_.insert(ranges_.begin() + std::ptrdiff_t(at), Range{begin, end, clock_, {}});
    ranges_[at].packets.push_back(std::move(text));
  }
  ranges_[at].touched = clock_;
  packet_bytes_ += size;
  bytes_ += distance(begin, end);
  return true;
}

void Reassembly::join(std::size_t at) {
  if (at + 1 >= ranges_.size() || ranges_[at + 1].begin != ranges_[at].end) return;
  ranges_[at].packets.append(std::move(ranges_[at + 1].packets));
  ranges_[at].end = ranges_[at + 1].end;
  ranges_.erase(ranges_.begin() + std::ptrdiff_t(at) + 1);
}

void Reassembly::pack(PacketPool& pool) {
  packet_bytes_ = 0;
  for (auto& range : ranges_) packet_bytes_ += tcp::pack(pool, range.packets);
}

void Reassembly::drop_last() {
  const Range& last = ranges_.back();
  bytes_ -= distance(last.begin, last.end);
  last.packets.for_each([&](const Packet& packet) { packet_bytes_ -= packet.true_size(); });
  ranges_.pop_back();
}

std::size_t Reassembly::count_true_size() const {
  std::size_t sum = ranges_.capacity() * sizeof(Range);
  for (const auto& range : ranges_)
    range.packets.for_each([&](const Packet& packet) { sum += packet.true_size(); });
  return sum;
}

std::optional<wire::SackBlock> Reassembly::held(Seq begin, Seq end) const {
  const auto range =
      std::ranges::partition_point(ranges_, [&](const Range& r) { return r.end <= begin; });
  if (range == ranges_.end() || end <= range->begin) return std::nullopt;
  return wire::SackBlock{later(begin, range->begin), earlier(end, range->end)};
}

void Reassembly::touch(Seq at) {
  const auto range =
      std::ranges::partition_point(ranges_, [&](const Range& r) { return r.end <= at; });
  if (range != ranges_.end() && range->begin <= at) range->touched = ++clock_;
}

std::size_t Reassembly::blocks(std::span<wire::SackBlock> out) const {
  std::size_t count = 0;
  std::uint64_t below = ~std::uint64_t{0};
  while (count < out.size() && count < ranges_.size()) {
    const Range* newest = nullptr;
    for (const auto& range : ranges_)
      if (range.touched < below && (newest == nullptr || range.touched > newest->touched))
        newest = &range;
    if (newest == nullptr) break;  // Ranges touched by one insertion are reported once.
    out[count++] = {newest->begin, newest->end};
    below = newest->touched;
  }
  return count;
}

}  // namespace estab::tcp
