// SPDX-License-Identifier: Apache-2.0
// An echo server with a TCP of its own, on a TUN device: `echo [DEVICE]`, as root. Then, from the
// same machine: `nc 10.77.0.2 7`. Ctrl-C ends it.
#include <estab/link/tun.hpp>
#include <estab/net/acceptor.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <csignal>
#include <cstdio>

namespace asio = boost::asio;
namespace net = estab::net;
using asio::use_awaitable;

asio::awaitable<void> echo(net::socket peer) {
  std::array<char, 16384> text;
  try {
    for (;;) {
      const auto size = co_await peer.async_read_some(asio::buffer(text), use_awaitable);
      co_await asio::async_write(peer, asio::buffer(text, size), use_awaitable);
    }
  } catch (const boost::system::system_error& end) {
    if (end.code() != asio::error::eof) std::fprintf(stderr, "%s\n", end.what());
  }
}  // The socket closes here; what was written is still delivered.

asio::awaitable<void> serve(net::acceptor& acceptor) {
  for (;;)
    asio::co_spawn(acceptor.get_executor(), echo(co_await acceptor.async_accept(use_awaitable)),
                   asio::detached);
}

int main(int argc, char** argv) try {
  asio::io_context io;
  net::host host{io, estab::link::tun(argc > 1 ? argv[1] : "estab0"), {.address = "10.77.0.2/24"}};
  net::acceptor acceptor{host, {estab::any, 7}};
  asio::co_spawn(io, serve(acceptor), asio::detached);
  asio::signal_set signals{io, SIGINT, SIGTERM};
  signals.async_wait([&](boost::system::error_code, int) { io.stop(); });
  std::puts("echo at 10.77.0.2, port 7");
  std::fflush(stdout);
  io.run();
} catch (const std::exception& e) {
  std::fprintf(stderr, "echo: %s\n", e.what());
  return 1;
}
