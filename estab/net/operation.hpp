// SPDX-License-Identifier: Apache-2.0
// What the templates of the face hand to the compiled part: erased handlers and flat buffers.
#pragma once
#include <array>
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>

namespace estab::net {

using error_code = boost::system::error_code;

namespace detail {

// Keeps the handler's associated allocator, executor and cancellation slot. It must not be
// assigned to: move assignment of this class recurses for ever in Boost 1.81.
template <class... Results>
using Handler = boost::asio::any_completion_handler<void(error_code, Results...)>;
using IoHandler = Handler<std::size_t>;

// The first buffers of a sequence that are not empty. "Some" octets are asked for, so that a
// sequence which is longer than the list may be served in part.
template <class Buffer>
class BufferList {
 public:
  static constexpr std::size_t capacity = 16;

  BufferList() = default;
  template <class Sequence>
  explicit BufferList(const Sequence& sequence) {
    const auto last = boost::asio::buffer_sequence_end(sequence);
    for (auto it = boost::asio::buffer_sequence_begin(sequence); it != last && size_ < capacity;
         ++it)
      if (const Buffer buffer = *it; buffer.size() > 0) buffers_[size_++] = buffer;
  }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] const Buffer* begin() const { return buffers_.data(); }
  [[nodiscard]] const Buffer* end() const { return buffers_.data() + size_; }

 private:
  std::array<Buffer, capacity> buffers_;
  std::size_t size_ = 0;
};

using MutableBuffers = BufferList<boost::asio::mutable_buffer>;
using ConstBuffers = BufferList<boost::asio::const_buffer>;

}  // namespace detail
}  // namespace estab::net
