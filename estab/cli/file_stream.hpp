// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <optional>

namespace estab::cli {

// An inherited descriptor of any kind (file, pipe, terminal, socket) in an event loop. It is never
// made non-blocking, for whoever shares it (a shell, its other programs) would suffer; so a pipe is
// written a page at a time, which a pipe that polls as writable takes without blocking. Files,
// which cannot be waited for, are simply read and written.
class FileStream {
 public:
  // Does not own the descriptor.
  FileStream(const boost::asio::any_io_executor& executor, int descriptor);

  // At least one octet; 0: the end. Throws boost::system::system_error.
  boost::asio::awaitable<std::size_t> read_some(boost::asio::mutable_buffer into);
  // All of it. Throws boost::system::system_error.
  boost::asio::awaitable<void> write(boost::asio::const_buffer from);

 private:
  boost::asio::awaitable<void> wait(short events);

  int descriptor_;
  // An epoll descriptor that holds ours: what can be waited for; none: it is always ready.
  std::optional<boost::asio::posix::stream_descriptor> gate_;
};

}  // namespace estab::cli
