// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <utility>
#include <vector>

namespace estab {

// A queue of small values that holds no memory while it is empty. push_back and pop_front take
// constant time on average.
template <class T>
class Fifo {
 public:
  [[nodiscard]] bool empty() const { return first_ == values_.size(); }
  [[nodiscard]] std::size_t size() const { return values_.size() - first_; }
  // The oldest value; the queue is not empty.
  [[nodiscard]] const T& front() const { return values_[first_]; }
  void push_back(const T& value) {
    if (first_ >= 16 && first_ >= size()) {  // The front half is unused: move the rest there.
      values_.erase(values_.begin(), values_.begin() + std::ptrdiff_t(first_));
      first_ = 0;
    }
    values_.push_back(value);
  }
  void pop_front() {
    if (++first_ < values_.size()) return;
    std::vector<T>().swap(values_);
    first_ = 0;
  }
  [[nodiscard]] auto begin() const { return values_.begin() + std::ptrdiff_t(first_); }
  [[nodiscard]] auto end() const { return values_.end(); }
  // Bytes on the heap.
  [[nodiscard]] std::size_t true_size() const { return values_.capacity() * sizeof(T); }

 private:
  std::vector<T> values_;
  std::size_t first_ = 0;  // Values before it were taken.
};

}  // namespace estab
