// SPDX-License-Identifier: Apache-2.0
// Boost.Beast's HTTP on a TCP of our own: `http_server [DEVICE]`, as root. Then, from the same
// machine: `curl http://10.77.0.2/`. Ctrl-C ends it.
#include <estab/link/tun.hpp>
#include <estab/net/acceptor.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <csignal>
#include <cstdio>
#include <sstream>

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace net = estab::net;
using asio::use_awaitable;

// What the peer asked for, and what its connection looks like from here.
http::response<http::string_body> answer(const http::request<http::string_body>& request,
                                         const net::socket& socket) {
  const auto status = socket.status();
  std::ostringstream page;
  page << "You asked for " << request.target() << " from " << status.flow.remote.to_string()
       << ".\nThe connection is " << name(status.state) << ", its congestion window " << status.cwnd
       << " octets.\n";
  http::response<http::string_body> response{http::status::ok, request.version()};
  response.set(http::field::content_type, "text/plain");
  response.keep_alive(request.keep_alive());
  response.body() = page.str();
  response.prepare_payload();
  return response;
}

asio::awaitable<void> talk(net::socket socket) {
  boost::beast::flat_buffer buffer;
  for (bool open = true; open;) {
    http::request<http::string_body> request;
    const auto [error, size] =
        co_await http::async_read(socket, buffer, request, asio::as_tuple(use_awaitable));
    if (error) break;  // Usually http::error::end_of_stream: the peer is done.
    open = request.keep_alive();
    co_await http::async_write(socket, answer(request, socket), use_awaitable);
  }
}

asio::awaitable<void> serve(net::acceptor& acceptor) {
  for (;;)
    asio::co_spawn(acceptor.get_executor(), talk(co_await acceptor.async_accept(use_awaitable)),
                   asio::detached);
}

int main(int argc, char** argv) try {
  asio::io_context io;
  net::host host{io, estab::link::tun(argc > 1 ? argv[1] : "estab0"), {.address = "10.77.0.2/24"}};
  net::acceptor acceptor{host, {estab::any, 80}};
  asio::co_spawn(io, serve(acceptor), asio::detached);
  asio::signal_set signals{io, SIGINT, SIGTERM};
  signals.async_wait([&](boost::system::error_code, int) { io.stop(); });
  std::puts("http://10.77.0.2/");
  std::fflush(stdout);
  io.run();
} catch (const std::exception& e) {
  std::fprintf(stderr, "http_server: %s\n", e.what());
  return 1;
}
