// SPDX-License-Identifier: Apache-2.0
// Sends standard input to a server and prints what it answers: `client ADDRESS PORT [DEVICE]`, as
// root. The server may be the kernel's: `nc -l 10.77.0.1 7777`, and here `client 10.77.0.1 7777`.
#include <estab/link/tun.hpp>
#include <estab/net/host.hpp>
#include <estab/net/socket.hpp>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>
#include <iostream>
#include <iterator>

namespace asio = boost::asio;
namespace net = estab::net;
using asio::use_awaitable;

asio::awaitable<void> talk(net::socket& socket, net::endpoint server, std::string question) {
  co_await socket.async_connect(server, use_awaitable);
  co_await asio::async_write(socket, asio::buffer(question), use_awaitable);
  socket.shutdown(net::socket::shutdown_send);  // Our end: the answer still comes.
  for (std::array<char, 16384> text;;) {
    const auto [error, size] =
        co_await socket.async_read_some(asio::buffer(text), asio::as_tuple(use_awaitable));
    std::fwrite(text.data(), 1, size, stdout);
    if (error == asio::error::eof) break;
    if (error) throw boost::system::system_error{error};
  }
}

int main(int argc, char** argv) try {
  if (argc < 3) throw std::invalid_argument{"usage: client ADDRESS PORT [DEVICE]"};
  asio::io_context io;
  net::host host{io, estab::link::tun(argc > 3 ? argv[3] : "estab0"), {.address = "10.77.0.2/24"}};
  net::socket socket{host};
  const net::endpoint server{asio::ip::make_address(argv[1]),
                             asio::ip::port_type(std::stoi(argv[2]))};
  const std::string question{std::istreambuf_iterator<char>{std::cin}, {}};
  asio::co_spawn(io, talk(socket, server, question), [&](std::exception_ptr failure) {
    socket.close();
    if (failure) std::rethrow_exception(failure);
  });
  io.run();  // Returns when the connection is closed at both ends.
} catch (const std::exception& e) {
  std::fprintf(stderr, "client: %s\n", e.what());
  return 1;
}
