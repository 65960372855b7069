// SPDX-License-Identifier: Apache-2.0
// What Boost.Beast asks of a stream that it closes: WebSocket's teardown, and closing. Beast's HTTP
// needs none of it.
#pragma once
#include <array>
#include <boost/asio/append.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/role.hpp>
#include <memory>

#include "estab/net/socket.hpp"

namespace estab::net {

inline void beast_close_socket(socket& socket) { socket.close(); }

// Without waiting for the peer's end, since nothing here may block.
inline void teardown(boost::beast::role_type role, socket& socket, error_code& error) {
  // RFC 6455 §7.1.1: the server closes first, so that TIME-WAIT is its own.
  if (role == boost::beast::role_type::server) socket.shutdown(socket::shutdown_send, error);
  socket.close(error);
}

namespace detail {

// Reads and drops what still comes until the peer's end, then closes.
struct Teardown {
  socket& stream;
  bool shut_down_last;
  std::unique_ptr<std::array<std::byte, 2048>> buffer =
      std::make_unique<std::array<std::byte, 2048>>();

  template <class Self>
  void operator()(Self& self) {
    error_code error;
    if (!shut_down_last) stream.shutdown(socket::shutdown_send, error);
    if (error)
      return boost::asio::post(stream.get_executor(), boost::asio::append(std::move(self), error));
    read(self);
  }
  template <class Self>
  void operator()(Self& self, error_code error) {
    self.complete(error);
  }
  template <class Self>
  void operator()(Self& self, error_code error, std::size_t) {
    if (!error) return read(self);
    if (error == boost::asio::error::eof) error = {};
    stream.close();
    self.complete(error);
  }
  template <class Self>
  void read(Self& self) {
    auto& space = *buffer;
    stream.async_read_some(boost::asio::buffer(space), std::move(self));
  }
};

}  // namespace detail

template <class TeardownHandler>
void async_teardown(boost::beast::role_type role, socket& socket, TeardownHandler&& handler) {
  boost::asio::async_compose<TeardownHandler, void(error_code)>(
      detail::Teardown{socket, role == boost::beast::role_type::client}, handler, socket);
}

}  // namespace estab::net
