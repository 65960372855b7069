// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/services.hpp"

#include <boost/asio/write.hpp>

namespace estab::cli {
namespace asio = boost::asio;
namespace {

constexpr std::size_t buffer_size = 1 << 16;  // A connection.

struct Buffer {
  std::unique_ptr<char[]> octets = std::make_unique_for_overwrite<char[]>(buffer_size);
  asio::mutable_buffer all() { return asio::buffer(octets.get(), buffer_size); }
};

// 0: the peer has ended or is idle, or it is time to leave.
asio::awaitable<std::size_t> read_some(Guest& guest, Buffer& buffer, Duration idle) {
  net::error_code error;
  // First the wait alone: then what the stack says of the connection is not taken for idleness.
  const bool late = co_await guest.listen(idle, error, [&](auto token) -> asio::awaitable<void> {
    co_await guest.socket().async_wait(net::socket::wait_read, token);
  });
  if (late) guest.note(Overdue::idle);
  if (error) co_return 0;
  const auto size = co_await guest.socket().async_read_some(
      buffer.all(), asio::redirect_error(asio::use_awaitable, error));
  guest.note_end(error);
  co_return error ? 0 : size;
}

}  // namespace

asio::awaitable<void> serve_echo(Guest& guest, Duration idle) {
  Buffer buffer;
  net::error_code error;
  while (const auto size = co_await read_some(guest, buffer, idle)) {
    co_await asio::async_write(guest.socket(), asio::buffer(buffer.all(), size),
                               asio::redirect_error(asio::use_awaitable, error));
    guest.note_end(error);
    if (error) co_return;
  }
  co_await guest.leave();
}

asio::awaitable<void> serve_discard(Guest& guest, Duration idle) {
  Buffer buffer;
  while (co_await read_some(guest, buffer, idle) > 0) {}
  co_await guest.leave();
}

}  // namespace estab::cli
