// SPDX-License-Identifier: Apache-2.0
// Urgent data in line (RFC 9293 §3.8.5, RFC 6093).
#include "fixture.hpp"

namespace estab::net::test {
namespace {

using UrgentTest = NetTest;

TEST_F(UrgentTest, the_reader_learns_of_urgent_text_and_stops_in_front_of_its_last_octet) {
  connect();
  play([](socket& a, socket& b) -> asio::awaitable<void> {
    co_await asio::async_write(a, asio::buffer("calm "s), use_awaitable);
    EXPECT_EQ(co_await a.async_write_some_urgent(asio::buffer("stop!"s), use_awaitable), 5u);
    co_await asio::async_write(a, asio::buffer(" and on"s), use_awaitable);
    co_await b.async_wait_urgent(use_awaitable);
    EXPECT_GT(b.urgent_remaining(), 0u);
    std::string before, mark(1, '\0'), after(7, '\0');
    while (!b.at_mark()) {
      char text[32];
      before.append(text, co_await b.async_read_some(asio::buffer(text), use_awaitable));
    }
    EXPECT_EQ(before, "calm stop");
    EXPECT_EQ(b.urgent_remaining(), 1u);
    co_await asio::async_read(b, asio::buffer(mark), use_awaitable);
    EXPECT_EQ(mark, "!");
    EXPECT_FALSE(b.at_mark());
    EXPECT_EQ(b.urgent_remaining(), 0u);
    co_await asio::async_read(b, asio::buffer(after), use_awaitable);
    EXPECT_EQ(after, " and on");
  }(client, server));
}

TEST_F(UrgentTest, waiting_for_urgent_text_ends_with_the_peers_fin) {
  connect();
  std::optional<error_code> error;
  server.async_wait_urgent([&](error_code e) { error = e; });
  io.poll();
  client.shutdown(socket::shutdown_send);
  run_until([&] { return error.has_value(); });
  EXPECT_EQ(*error, asio::error::eof);
}

}  // namespace
}  // namespace estab::net::test
