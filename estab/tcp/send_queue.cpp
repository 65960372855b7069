// SPDX-License-Identifier: Apache-2.0
#include "estab/tcp/send_queue.hpp"

namespace estab::tcp {
namespace {

// A stream of small writes gets small chunks first, larger ones as it grows, and none that is
// larger than what there is to fill it. 16 KiB at the most: the first and the last one are partly
// empty.
std::size_t chunk_size(std::size_t queued, std::size_t wanted, std::size_t room) {
  const std::size_t size = std::min(std::max(wanted, queued), room);
  std::size_t best = 256;
  for (const std::size_t chunk : {2000u, 16000u})
    if (size >= chunk) best = chunk;
  return best;
}

}  // namespace

std::size_t SendQueue::append(PacketPool& pool, Bytes text, std::size_t room) {
  std::size_t done = 0;
  while (done < text.size()) {
    if (tail_ == nullptr || tail_->used == tail_->capacity) {
      Buffer* chunk =
          pool.allocate_chunk(chunk_size(size_, text.size() - done, room - done)).detach();
      if (chunk == nullptr) break;
      true_size_ += chunk->true_size();
      (tail_ != nullptr ? tail_->next : head_) = chunk;
      tail_ = chunk;
    }
    const auto n = std::min<std::size_t>(tail_->capacity - tail_->used, text.size() - done);
    std::memcpy(tail_->data() + tail_->used, text.data() + done, n);
    tail_->used += std::uint32_t(n);
    size_ += std::uint32_t(n);
    done += n;
  }
  return done;
}

void SendQueue::consume(std::uint32_t n) {
  assert(n <= size_);
  size_ -= n;
  cursor_offset_ -= std::min(n, cursor_offset_);
  head_skip_ += n;
  while (head_ != nullptr && (head_skip_ >= head_->used || size_ == 0)) {
    head_skip_ -= std::min(head_skip_, head_->used);
    Buffer* gone = std::exchange(head_, head_->next);
    if (gone == cursor_) cursor_ = nullptr;
    true_size_ -= gone->true_size();
    BufferRef::release(gone);
  }
  if (head_ == nullptr) tail_ = nullptr;
  // The cursor's offset counts from the first octet that is left, which may lie inside the head.
  if (cursor_ == head_) cursor_ = nullptr;
}

std::size_t SendQueue::count_true_size() const {
  std::size_t sum = 0;
  for (const Buffer* chunk = head_; chunk != nullptr; chunk = chunk->next)
    sum += chunk->true_size();
  return sum;
}

std::uint32_t SendQueue::share(std::uint32_t offset, std::uint32_t length, Packet& packet) {
  assert(offset + length <= size_);
  Buffer* chunk = head_;
  std::uint32_t begin = head_skip_, first = 0;  // Of the chunk: octets to skip, queue offset.
  if (cursor_ != nullptr && offset >= cursor_offset_)
    chunk = cursor_, begin = 0, first = cursor_offset_;
  std::uint32_t done = 0;
  while (done < length) {
    const std::uint32_t here = chunk->used - begin;
    if (offset + done < first + here) {
      const std::uint32_t skip = offset + done - first;
      const std::uint32_t n = std::min(here - skip, length - done);
      if (!packet.append_slice(chunk, begin + skip, n)) break;
      done += n;
      if (done == length) break;
    }
    first += here;
    begin = 0;
    chunk = chunk->next;
  }
  cursor_ = chunk == head_ ? nullptr : chunk;
  cursor_offset_ = first;
  return done;
}

}  // namespace estab::tcp
