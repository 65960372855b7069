// SPDX-License-Identifier: Apache-2.0
// Boost.Beast's HTTP and WebSocket run on net::socket as on any stream.
#include "estab/net/beast.hpp"

#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

#include "fixture.hpp"

namespace estab::net::test {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using BeastTest = NetTest;

asio::awaitable<void> answer(socket peer, int& requests) {
  beast::flat_buffer buffer;
  for (;;) {
    http::request<http::string_body> request;
    const auto [error, size] =
        co_await http::async_read(peer, buffer, request, asio::as_tuple(use_awaitable));
    if (error == http::error::end_of_stream) break;
    EXPECT_FALSE(error) << error;
    http::response<http::string_body> response{http::status::ok, request.version()};
    response.body() = "you asked for " + std::string(request.target());
    response.keep_alive(request.keep_alive());
    response.prepare_payload();
    co_await http::async_write(peer, response, use_awaitable);
    ++requests;
  }
  peer.shutdown(socket::shutdown_send);
}

TEST_F(BeastTest, an_http_client_and_server_talk_over_one_connection) {
  connect();
  int requests = 0;
  asio::co_spawn(io, answer(std::move(server), requests), asio::detached);
  play([](socket& s) -> asio::awaitable<void> {
    beast::flat_buffer buffer;
    for (const auto* target : {"/one", "/two", "/three"}) {
      http::request<http::empty_body> request{http::verb::get, target, 11};
      request.set(http::field::host, "10.0.0.2");
      co_await http::async_write(s, request, use_awaitable);
      http::response<http::string_body> response;
      co_await http::async_read(s, buffer, response, use_awaitable);
      EXPECT_EQ(response.body(), "you asked for "s + target);
    }
    s.shutdown(socket::shutdown_send);
    char octet;
    const auto [error, size] =
        co_await s.async_read_some(asio::buffer(&octet, 1), asio::as_tuple(use_awaitable));
    EXPECT_EQ(error, asio::error::eof);
  }(client));
  EXPECT_EQ(requests, 3);
}

asio::awaitable<void> serve_websocket(socket peer, bool& closed) {
  beast::websocket::stream<socket> stream{std::move(peer)};
  co_await stream.async_accept(use_awaitable);
  beast::flat_buffer message;
  co_await stream.async_read(message, use_awaitable);
  co_await stream.async_write(message.data(), use_awaitable);
  message.clear();
  const auto [error, size] = co_await stream.async_read(message, asio::as_tuple(use_awaitable));
  closed = error == beast::websocket::error::closed;
}

TEST_F(BeastTest, a_websocket_opens_echoes_and_closes) {
  connect();
  bool closed = false;
  asio::co_spawn(io, serve_websocket(std::move(server), closed), asio::detached);
  play([](socket s) -> asio::awaitable<void> {
    beast::websocket::stream<socket> stream{std::move(s)};
    co_await stream.async_handshake("10.0.0.2", "/", use_awaitable);
    co_await stream.async_write(asio::buffer("over the air"s), use_awaitable);
    beast::flat_buffer message;
    co_await stream.async_read(message, use_awaitable);
    EXPECT_EQ(beast::buffers_to_string(message.data()), "over the air");
    co_await stream.async_close(beast::websocket::close_code::normal, use_awaitable);
  }(std::move(client)));
  run_until([&] { return closed; });
}

}  // namespace
}  // namespace estab::net::test
