// SPDX-License-Identifier: Apache-2.0
// Many connections at once, every octet accounted for.
#include "estab/base/random.hpp"
#include "estab/base/siphash.hpp"
#include "fixture.hpp"

namespace estab::net::test {
namespace {

using ManyTest = NetTest;

constexpr int connections = 64;
constexpr std::size_t octets = 1 << 20;

asio::awaitable<void> echo(socket peer) {
  std::vector<std::byte> buffer(32 << 10);
  for (;;) {
    const auto [error, size] =
        co_await peer.async_read_some(asio::buffer(buffer), asio::as_tuple(use_awaitable));
    if (error) break;
    co_await asio::async_write(peer, asio::buffer(buffer, size), use_awaitable);
  }
  peer.shutdown(socket::shutdown_send);
}

asio::awaitable<void> serve(acceptor& gate) {
  for (int i = 0; i < connections; ++i)
    asio::co_spawn(co_await asio::this_coro::executor,
                   echo(co_await gate.async_accept(use_awaitable)), asio::detached);
}

// Sends a text of its own and checks that the digest of what comes back is the text's.
asio::awaitable<void> ask(host& from, endpoint to, std::uint64_t seed, int& right_answers) {
  Random random{seed};
  std::vector<std::byte> text(octets), answer;
  for (auto& octet : text) octet = std::byte(random());
  socket s{from};
  co_await s.async_connect(to, use_awaitable);
  bool written = false;
  asio::async_write(s, asio::buffer(text), [&](error_code e, std::size_t) {
    EXPECT_FALSE(e) << e;
    s.shutdown(socket::shutdown_send);
    written = true;
  });
  const auto [error, size] =
      co_await asio::async_read(s, asio::dynamic_buffer(answer), asio::as_tuple(use_awaitable));
  EXPECT_EQ(error, asio::error::eof);
  EXPECT_TRUE(written);
  const HashKey key{seed, ~seed};
  right_answers += siphash(key, answer) == siphash(key, text);
}

TEST_F(ManyTest, sixty_four_connections_echo_a_mebibyte_each_at_once) {
  acceptor gate{right, {estab::any, 7}};
  asio::co_spawn(io, serve(gate), asio::detached);
  int right_answers = 0, ended = 0;
  for (int i = 0; i < connections; ++i)
    asio::co_spawn(io, ask(left, seven(), std::uint64_t(i) + 1, right_answers),
                   [&](std::exception_ptr e) {
                     ++ended;
                     EXPECT_FALSE(e);
                   });
  run_until([&] { return ended == connections; });
  EXPECT_EQ(right_answers, connections);
  run_until(
      [&] { return right.snapshot().connections.empty() && left.snapshot().connections.empty(); });
}

}  // namespace
}  // namespace estab::net::test
