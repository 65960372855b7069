// SPDX-License-Identifier: Apache-2.0
// Leads connections from a TCP of our own on to one of the kernel's, half-closes and back-pressure
// included: `relay ADDRESS PORT [DEVICE]`, as root, passes 10.77.0.2, port 7, on to ADDRESS, PORT.
#include <estab/link/tun.hpp>
#include <estab/net/acceptor.hpp>
#include <estab/net/relay.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstdio>
#include <string>

namespace asio = boost::asio;
namespace net = estab::net;
using asio::use_awaitable;
using asio::ip::tcp;

asio::awaitable<void> pass_on(net::socket ours, tcp::endpoint to) {
  tcp::socket kernels{ours.get_executor()};
  try {
    co_await kernels.async_connect(to, use_awaitable);
    const auto counts = co_await net::relay(ours, kernels, use_awaitable);
    std::printf("%llu octets there, %llu back\n", (unsigned long long)counts.a_to_b,
                (unsigned long long)counts.b_to_a);
    std::fflush(stdout);
  } catch (const boost::system::system_error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    ours.abort();  // Rather than a FIN, which would say that this was all.
  }
}

asio::awaitable<void> serve(net::acceptor& acceptor, tcp::endpoint to) {
  for (;;)
    asio::co_spawn(acceptor.get_executor(),
                   pass_on(co_await acceptor.async_accept(use_awaitable), to), asio::detached);
}

int main(int argc, char** argv) try {
  if (argc < 3) throw std::invalid_argument{"usage: relay ADDRESS PORT [DEVICE]"};
  asio::io_context io;
  const tcp::endpoint to{asio::ip::make_address(argv[1]), asio::ip::port_type(std::stoi(argv[2]))};
  net::host host{io, estab::link::tun(argc > 3 ? argv[3] : "estab0"), {.address = "10.77.0.2/24"}};
  net::acceptor acceptor{host, {estab::any, 7}};
  asio::co_spawn(io, serve(acceptor, to), asio::detached);
  asio::signal_set signals{io, SIGINT, SIGTERM};
  signals.async_wait([&](boost::system::error_code, int) { io.stop(); });
  std::puts("10.77.0.2, port 7");
  std::fflush(stdout);
  io.run();
} catch (const std::exception& e) {
  std::fprintf(stderr, "relay: %s\n", e.what());
  return 1;
}
