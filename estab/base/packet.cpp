// SPDX-License-Identifier: Apache-2.0
#include "estab/base/packet.hpp"

#include <algorithm>
#include <new>

namespace estab {

void BufferRef::release(Buffer* buffer) {
  if (buffer != nullptr && --buffer->refs == 0) buffer->pool->give_back(buffer);
}

void Packet::destroy() {
  for (const auto& slice : slices()) BufferRef::release(slice.buffer);
  BufferRef::release(std::exchange(buffer_, nullptr));
}

MutableBytes Packet::push_front(std::size_t n) {
  assert(n <= front_room());
  meta().begin -= std::uint32_t(n);
  meta().length += std::uint32_t(n);
  return linear().first(n);
}

MutableBytes Packet::append(std::size_t n) {
  assert(n <= tailroom());
  meta().length += std::uint32_t(n);
  return linear().last(n);
}

void Packet::pull_front(std::size_t n) {
  assert(n <= size());
  const auto linear_part = std::min<std::size_t>(n, meta().length);
  meta().begin += std::uint32_t(linear_part);
  meta().length -= std::uint32_t(linear_part);
  if (n > linear_part) drop_front_slices(n - linear_part);
}

void Packet::drop_front_slices(std::size_t bytes) {
  meta().slice_bytes -= std::uint32_t(bytes);
  std::size_t gone = 0;
  Slice* slice = slice_array();
  while (bytes > 0 && bytes >= slice[gone].length) {
    bytes -= slice[gone].length;
    BufferRef::release(slice[gone++].buffer);
  }
  std::copy(slice + gone, slice + meta().slice_count, slice);
  meta().slice_count -= std::uint8_t(gone);
  if (bytes > 0) slice[0].begin += std::uint32_t(bytes), slice[0].length -= std::uint32_t(bytes);
}

void Packet::truncate(std::size_t n) {
  assert(n <= size());
  if (n <= meta().length) {
    for (const auto& slice : slices()) BufferRef::release(slice.buffer);
    meta().slice_count = 0, meta().slice_bytes = 0;
    meta().length = std::uint32_t(n);
    return;
  }
  auto left = std::uint32_t(n - meta().length);
  meta().slice_bytes = left;
  Slice* slice = slice_array();
  std::uint8_t kept = 0;
  for (; left > 0; ++kept) {
    slice[kept].length = std::min(slice[kept].length, left);
    left -= slice[kept].length;
  }
  for (std::uint8_t i = kept; i < meta().slice_count; ++i) BufferRef::release(slice[i].buffer);
  meta().slice_count = kept;
}

bool Packet::append_slice(Buffer* buffer, std::uint32_t begin, std::uint32_t length) {
  if (!can_append_slice()) return false;
  ++buffer->refs;
  slice_array()[meta().slice_count++] = {buffer, begin, length};
  meta().slice_bytes += length;
  return true;
}

std::size_t Packet::copy_to(MutableBytes out, std::size_t offset) const {
  std::size_t done = 0;
  for_each_part(offset, [&](Bytes part) {
    const auto n = std::min(part.size(), out.size() - done);
    if (n > 0) std::memcpy(out.data() + done, part.data(), n);
    done += n;
  });
  return done;
}

void PacketList::push_back(Packet packet) {
  auto* buffer = std::exchange(packet.buffer_, nullptr);
  buffer->next = nullptr;
  (tail_ != nullptr ? tail_->next : head_) = buffer;
  tail_ = buffer;
}

void PacketList::push_front(Packet packet) {
  auto* buffer = std::exchange(packet.buffer_, nullptr);
  buffer->next = head_;
  head_ = buffer;
  if (tail_ == nullptr) tail_ = buffer;
}

Packet PacketList::pop_front() {
  Packet packet{head_};
  head_ = std::exchange(head_->next, nullptr);
  if (head_ == nullptr) tail_ = nullptr;
  return packet;
}

void PacketList::append(PacketList&& other) {
  if (other.empty()) return;
  (tail_ != nullptr ? tail_->next : head_) = other.head_;
  tail_ = other.tail_;
  other.head_ = other.tail_ = nullptr;
}

PacketPool::~PacketPool() {
  assert(live_ == 0 && "a packet outlived its pool");
  trim();
}

void PacketPool::trim() {
  for (auto& list : free_)
    while (list != nullptr) ::operator delete(std::exchange(list, list->next));
  cached_ = 0;
}

Buffer* PacketPool::take(std::size_t bytes) {
  const auto wanted = bytes + sizeof(Buffer);
  std::uint32_t c = 0;
  while (class_bytes[c] != 0 && class_bytes[c] < wanted) ++c;
  const std::size_t whole = class_bytes[c] != 0 ? class_bytes[c] : wanted;
  if (live_ + whole > limit_) return nullptr;
  Buffer* buffer = free_[c];
  if (buffer != nullptr) {
    free_[c] = buffer->next;
    cached_ -= whole;
  } else {
    buffer = static_cast<Buffer*>(::operator new(whole, std::nothrow));
    if (buffer == nullptr) return nullptr;
    ++system_allocations_;
    buffer->pool = this;
    buffer->capacity = std::uint32_t(whole - sizeof(Buffer));
    buffer->size_class = c;
  }
  live_ += whole;
  peak_ = std::max(peak_, live_);
  buffer->next = nullptr;
  buffer->refs = 1;
  buffer->used = 0;
  return buffer;
}

void PacketPool::give_back(Buffer* buffer) {
  live_ -= buffer->true_size();
  if (class_bytes[buffer->size_class] == 0) return ::operator delete(buffer);
  cached_ += buffer->true_size();
  buffer->next = free_[buffer->size_class];
  free_[buffer->size_class] = buffer;
  if (cached_ > always_kept + live_ / 4) shrink();
}

// A few blocks for each that comes back, so that no call takes long and the cache falls with what
// is in use. Of the largest class that has one, whose blocks are the fewest.
void PacketPool::shrink() {
  for (int few = 4; few > 0 && cached_ > always_kept + live_ / 4; --few) {
    auto list = free_.rbegin();
    while (*list == nullptr) ++list;
    Buffer* gone = std::exchange(*list, (*list)->next);
    cached_ -= gone->true_size();
    ::operator delete(gone);
  }
}

Packet PacketPool::dress(Buffer* buffer, std::size_t floor, std::size_t begin, std::size_t slices) {
  if (buffer == nullptr) return {};
  Packet packet{buffer};
  packet.meta() = {.begin = std::uint32_t(begin),
                   .length = 0,
                   .slice_bytes = 0,
                   .floor = std::uint16_t(floor),
                   .slice_count = 0,
                   .slice_limit = std::uint8_t(slices),
                   .offload = {},
                   .interface = 0};
  return packet;
}

Packet PacketPool::allocate(std::size_t length) {
  constexpr auto floor = sizeof(Packet::Meta);
  constexpr auto begin = floor + Packet::headroom;
  Packet packet = dress(take(begin + length), floor, begin, 0);
  if (packet) packet.append(length);
  return packet;
}

Packet PacketPool::allocate_gather() {
  constexpr auto floor = sizeof(Packet::Meta) + Packet::max_slices * sizeof(Slice);
  constexpr auto begin = class_bytes[0] - sizeof(Buffer);
  static_assert(begin >= floor + 240, "no room for the largest IPv6 and TCP header");
  return dress(take(begin), floor, begin, Packet::max_slices);
}

BufferRef PacketPool::allocate_chunk(std::size_t bytes) {
  constexpr std::size_t largest = class_bytes[3] - sizeof(Buffer);
  return BufferRef{take(std::min(bytes, largest))};
}

Packet PacketPool::copy(const Packet& packet, std::size_t length) {
  Packet twin = allocate(std::min(packet.size(), length));
  if (!twin) return twin;
  packet.copy_to(twin.linear());
  twin.offload() = packet.offload();
  twin.interface() = packet.interface();
  return twin;
}

Packet PacketPool::share(const Packet& packet, std::size_t linear, std::size_t begin,
                         std::size_t length) {
  Packet part = allocate_gather();
  if (!part) return part;
  part.offload() = packet.offload();
  part.interface() = packet.interface();
  const auto head = packet.linear();
  std::ranges::copy(head.first(linear), part.push_front(linear).begin());
  // What of the text lies in the linear part is shared like any slice: the block is refcounted.
  if (begin < head.size() && length > 0) {
    const auto n = std::min(length, head.size() - begin);
    const auto at = std::uint32_t(packet.meta().begin + begin);
    if (!part.append_slice(packet.buffer_, at, std::uint32_t(n))) return {};
    begin += n, length -= n;
  }
  std::size_t offset = head.size();
  for (const auto& slice : packet.slices()) {
    if (length > 0 && begin < offset + slice.length) {
      const auto skip = std::uint32_t(begin - offset);
      const auto n = std::min<std::size_t>(length, slice.length - skip);
      if (!part.append_slice(slice.buffer, slice.begin + skip, std::uint32_t(n))) return {};
      begin += n, length -= n;
    }
    offset += slice.length;
  }
  return part;
}

}  // namespace estab
