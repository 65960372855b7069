// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <bit>
#include <cassert>
#include <cstddef>
#include <memory>
#include <utility>

namespace estab {

// A queue in one block of memory that is also an array: constant time at both ends, by index, and
// for look-up. insert() and erase() move the shorter side. The block doubles when it is full and is
// given back with the ring. T is a plain value. Not thread-safe.
template <class T>
class Ring {
 public:
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  [[nodiscard]] T& operator[](std::size_t i) { return at(i); }
  [[nodiscard]] const T& operator[](std::size_t i) const { return at(i); }
  [[nodiscard]] T& front() { return at(0); }
  [[nodiscard]] const T& front() const { return at(0); }
  [[nodiscard]] T& back() { return at(size_ - 1); }
  [[nodiscard]] const T& back() const { return at(size_ - 1); }

  void push_back(const T& value) {
    reserve_one();
    ++size_;
    back() = value;
  }
  void pop_front() {
    assert(size_ > 0);
    first_ = (first_ + 1) & (capacity_ - 1);
    --size_;
  }
  // The value stands at index i afterwards; i <= size().
  void insert(std::size_t i, const T& value) {
    assert(i <= size_);
    reserve_one();
    ++size_;
    if (i < size_ / 2) {
      first_ = (first_ - 1) & (capacity_ - 1);
      for (std::size_t k = 0; k < i; ++k) at(k) = at(k + 1);
    } else {
      for (std::size_t k = size_ - 1; k > i; --k) at(k) = at(k - 1);
    }
    at(i) = value;
  }
  void erase(std::size_t i) {
    assert(i < size_);
    if (i < size_ / 2) {
      for (std::size_t k = i; k > 0; --k) at(k) = at(k - 1);
      first_ = (first_ + 1) & (capacity_ - 1);
    } else {
      for (std::size_t k = i; k + 1 < size_; ++k) at(k) = at(k + 1);
    }
    --size_;
  }
  // The first index for which holds(value) is false; it holds for all before and for none behind.
  template <class F>
  [[nodiscard]] std::size_t partition_point(F&& holds) const {
    std::size_t low = 0, high = size_;
    while (low < high) {
      const std::size_t middle = (low + high) / 2;
      if (holds(at(middle))) low = middle + 1;
      else high = middle;
    }
    return low;
  }

 private:
  [[nodiscard]] T& at(std::size_t i) const { return slots_[(first_ + i) & (capacity_ - 1)]; }
  void reserve_one() {
    if (size_ < capacity_) return;
    const std::size_t larger = capacity_ == 0 ? 8 : capacity_ * 2;
    auto slots = std::make_unique<T[]>(larger);
    for (std::size_t i = 0; i < size_; ++i) slots[i] = at(i);
    slots_ = std::move(slots);
    first_ = 0;
    capacity_ = larger;
  }

  std::unique_ptr<T[]> slots_;
  std::size_t capacity_ = 0, first_ = 0, size_ = 0;  // The capacity is 0 or a power of two.
};

}  // namespace estab
