// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

namespace estab::net::test {
namespace {

using AcceptTest = NetTest;

TEST_F(AcceptTest, an_accepted_socket_knows_both_ends) {
  connect();
  EXPECT_EQ(client.remote_endpoint(), seven());
  EXPECT_EQ(server.local_endpoint(), seven());
  EXPECT_EQ(server.remote_endpoint(), client.local_endpoint());
  EXPECT_EQ(client.local_endpoint().address().to_string(), "10.0.0.1");
}

TEST_F(AcceptTest, any_serves_both_families) {
  acceptor gate{right, {estab::any, 7}};
  for (const auto* address : {"10.0.0.2", "fd00::2"}) {
    std::optional<socket> accepted;
    socket caller{left};
    bool connected = false;
    gate.async_accept([&](error_code e, socket s) {
      EXPECT_FALSE(e) << e;
      accepted.emplace(std::move(s));
    });
    caller.async_connect({asio::ip::make_address(address), 7},
                         [&](error_code e) { connected = !e; });
    run_until([&] { return accepted && connected; });
    EXPECT_EQ(accepted->local_endpoint().address().to_string(), address);
  }
}

TEST_F(AcceptTest, port_0_is_one_that_is_free) {
  acceptor gate{right, {estab::any, 0}}, another{right, {estab::any, 0}};
  const auto port = gate.local_endpoint().port();
  EXPECT_GE(port, 32768);
  EXPECT_NE(port, another.local_endpoint().port());
  int steps = 0;
  const auto step = [&](error_code e) {
    EXPECT_FALSE(e) << e;
    ++steps;
  };
  gate.async_accept(server, step);
  client.async_connect({asio::ip::make_address("10.0.0.2"), port}, step);
  run_until([&] { return steps == 2; });
  EXPECT_EQ(server.local_endpoint().port(), port);
}

TEST_F(AcceptTest, accepts_that_wait_are_served_in_order) {
  acceptor gate{right, {estab::any, 7}};
  std::vector<int> order;
  std::vector<socket> accepted;
  for (int i = 0; i < 3; ++i)
    gate.async_accept([&, i](error_code e, socket s) {
      EXPECT_FALSE(e) << e;
      order.push_back(i);
      accepted.push_back(std::move(s));
    });
  std::vector<socket> callers;
  for (int i = 0; i < 3; ++i) callers.emplace_back(left).async_connect(seven(), asio::detached);
  run_until([&] { return order.size() == 3; });
  EXPECT_EQ(order, (std::vector{0, 1, 2}));
}

TEST_F(AcceptTest, text_that_came_before_the_accept_is_there_after_it) {
  acceptor gate{right, {estab::any, 7}};
  asio::co_spawn(
      io,
      [](socket& s) -> asio::awaitable<void> {
        co_await s.async_connect(seven(), use_awaitable);
        co_await asio::async_write(s, asio::buffer("early"s), use_awaitable);
        s.shutdown(socket::shutdown_send);
      }(client),
      asio::detached);
  run_until([&] { return client.is_open() && client.status().state == State::fin_wait_2; });
  play([](acceptor& a) -> asio::awaitable<void> {
    auto peer = co_await a.async_accept(use_awaitable);
    std::string heard;
    const auto [error, size] =
        co_await asio::async_read(peer, asio::dynamic_buffer(heard), asio::as_tuple(use_awaitable));
    EXPECT_EQ(error, asio::error::eof);
    EXPECT_EQ(heard, "early");
  }(gate));
}

TEST_F(AcceptTest, closing_ends_accepts_and_resets_those_not_accepted) {
  acceptor gate{right, {estab::any, 7}};
  std::optional<error_code> connected, reset, accept;
  client.async_connect(seven(), [&](error_code e) { connected = e; });
  run_until([&] { return connected && gate.status().accept_queue == 1; });
  char octet;
  client.async_read_some(asio::buffer(&octet, 1), [&](error_code e, std::size_t) { reset = e; });
  gate.close();
  gate.async_accept([&](error_code e, socket) { accept = e; });
  run_until([&] { return reset && accept; });
  EXPECT_EQ(*reset, asio::error::connection_reset);
  EXPECT_EQ(*accept, asio::error::bad_descriptor);
  EXPECT_FALSE(gate.is_open());
}

TEST_F(AcceptTest, destroying_an_acceptor_ends_its_accepts_with_operation_aborted) {
  std::optional<error_code> error;
  {
    acceptor gate{right, {estab::any, 7}};
    gate.async_accept([&](error_code e, socket) { error = e; });
  }
  EXPECT_FALSE(error) << "posted, not called";
  run_until([&] { return error.has_value(); });
  EXPECT_EQ(*error, asio::error::operation_aborted);
}

TEST_F(AcceptTest, accepting_into_an_open_socket_closes_its_old_connection) {
  connect();
  socket second{left};
  acceptor gate{right, {estab::any, 8}};
  std::optional<error_code> eof;
  char octet;
  client.async_read_some(asio::buffer(&octet, 1), [&](error_code e, std::size_t) { eof = e; });
  bool accepted = false;
  gate.async_accept(server, [&](error_code e) { accepted = !e; });
  second.async_connect({seven().address(), 8}, asio::detached);
  run_until([&] { return accepted && eof; });
  EXPECT_EQ(*eof, asio::error::eof);
  EXPECT_EQ(server.local_endpoint().port(), 8);
}

TEST_F(AcceptTest, a_deferred_peer_waits_for_the_programs_word) {
  ListenOptions options;
  options.otherwise = Verdict::defer;
  acceptor gate{right, {estab::any, 7}, options};
  std::optional<error_code> connected;
  client.async_connect(seven(), [&](error_code e) { connected = e; });
  play([](acceptor& a) -> asio::awaitable<void> {
    const auto peer = co_await a.async_next_deferred(use_awaitable);
    EXPECT_EQ(peer.remote.address().to_string(), "10.0.0.1");
    EXPECT_EQ(peer.local, seven());
    error_code error;
    a.decide(peer, Verdict::accept, error);
    EXPECT_FALSE(error) << error;
    const auto accepted = co_await a.async_accept(use_awaitable);
    EXPECT_EQ(accepted.remote_endpoint(), peer.remote);
  }(gate));
  run_until([&] { return connected.has_value(); });
  EXPECT_FALSE(*connected) << *connected;
}

TEST_F(AcceptTest, a_peer_that_a_rule_rejects_is_refused) {
  ListenOptions options;
  options.rules.push_back({*Prefix::parse("10.0.0.0/24"), Verdict::reject});
  acceptor gate{right, {estab::any, 7}, options};
  std::optional<error_code> connected;
  client.async_connect(seven(), [&](error_code e) { connected = e; });
  run_until([&] { return connected.has_value(); });
  EXPECT_EQ(*connected, asio::error::connection_refused);
}

}  // namespace
}  // namespace estab::net::test
