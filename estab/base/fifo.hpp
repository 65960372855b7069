// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cassert>
#include <cstddef>
#include <memory>
#include <type_traits>

namespace estab {

// A queue of small values in chunks. Each operation takes constant time in the worst case: nothing
// is moved when the queue grows, and a chunk that was read is freed at once. An empty queue keeps
// at most one chunk of `chunk_bytes`.
template <class T, std::size_t chunk_bytes = 2048>
class Fifo {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Fifo() = default;
  Fifo(const Fifo&) = delete;
  Fifo& operator=(const Fifo&) = delete;
  ~Fifo() {
    while (first_) first_ = std::move(first_->next);  // One by one: no deep recursion.
  }

  void push_back(T value) {
    if (!first_) {
      first_ = std::make_unique<Chunk>();
      last_ = first_.get();
    } else if (write_ == per_chunk) {
      last_->next = std::make_unique<Chunk>();
      last_ = last_->next.get();
      write_ = 0;
    }
    last_->values[write_++] = value;
    ++size_;
  }
  [[nodiscard]] T front() const {
    assert(size_ > 0);
    return first_->values[read_];
  }
  T pop_front() {
    const T value = front();
    ++read_;
    if (--size_ == 0) {
      read_ = write_ = 0;  // Its one chunk serves again.
    } else if (read_ == per_chunk) {
      first_ = std::move(first_->next);
      read_ = 0;
    }
    return value;
  }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  // f(value) for each, the oldest first.
  template <class F>
  void for_each(F&& f) const {
    std::size_t at = read_, left = size_;
    for (const Chunk* chunk = first_.get(); left > 0; chunk = chunk->next.get(), at = 0)
      for (; at < per_chunk && left > 0; ++at, --left) f(chunk->values[at]);
  }
  // Bytes on the heap.
  [[nodiscard]] std::size_t true_size() const {
    return first_ ? (read_ + size_ + per_chunk - (size_ > 0)) / per_chunk * sizeof(Chunk) : 0;
  }

 private:
  static constexpr std::size_t per_chunk = (chunk_bytes - sizeof(void*)) / sizeof(T);
  struct Chunk {
    std::unique_ptr<Chunk> next;
    T values[per_chunk];
  };

  std::unique_ptr<Chunk> first_;
  Chunk* last_ = nullptr;
  std::size_t read_ = 0, write_ = 0;  // In the first chunk, and in the last.
  std::size_t size_ = 0;
};

}  // namespace estab
