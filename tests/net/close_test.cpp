// SPDX-License-Identifier: Apache-2.0
// shutdown, close, async_close, abort; and what happens to operations and handles meanwhile.
#include "fixture.hpp"

namespace estab::net::test {
namespace {

class CloseTest : public NetTest {
 protected:
  // The server does not read: its window shuts, and the client's buffer is full behind it.
  void fill_the_peers_buffer() {
    const std::string block(1 << 16, 'b');
    error_code error;
    while (client.status().send_window > 0 || !error) {
      (void)client.write_some(asio::buffer(block), error);
      io.run_one_for(10ms);
    }
  }
};

TEST_F(CloseTest, shutdown_receive_ends_reads_that_wait) {
  connect();
  std::optional<error_code> error;
  char octet;
  server.async_read_some(asio::buffer(&octet, 1), [&](error_code e, std::size_t) { error = e; });
  io.poll();
  server.shutdown(socket::shutdown_receive);
  run_until([&] { return error.has_value(); });
  EXPECT_EQ(*error, asio::error::eof);
  EXPECT_EQ(server.status().state, State::established);
}

TEST_F(CloseTest, writing_after_shutdown_is_a_broken_pipe) {
  connect();
  std::optional<error_code> error;
  client.shutdown(socket::shutdown_send);
  client.async_write_some(asio::buffer("x"s), [&](error_code e, std::size_t) { error = e; });
  run_until([&] { return error.has_value(); });
  EXPECT_EQ(*error, asio::error::broken_pipe);
}

TEST_F(CloseTest, close_delivers_in_the_background_what_was_written) {
  connect();
  const std::string text(300'000, 't');
  std::string heard;
  std::optional<error_code> error;
  asio::async_write(client, asio::buffer(text), [&](error_code e, std::size_t) {
    EXPECT_FALSE(e) << e;
    client.close();
    EXPECT_FALSE(client.is_open());
  });
  asio::async_read(server, asio::dynamic_buffer(heard),
                   [&](error_code e, std::size_t) { error = e; });
  run_until([&] { return error.has_value(); });
  EXPECT_EQ(*error, asio::error::eof);
  EXPECT_EQ(heard, text);
}

// A program has its FIN in another handler than its last text; one segment carries both.
TEST_F(CloseTest, a_fin_goes_out_with_the_text_written_before_it) {
  connect();
  std::vector<std::size_t> with_fin;
  left.add_view([&](const Event& event, Bytes packet) {
    if (event.kind != EventKind::sent) return;
    if (std::to_integer<int>(packet[20 + 13]) & 1) with_fin.push_back(packet.size());
  });
  asio::async_write(client, asio::buffer("the last words"s), [&](error_code e, std::size_t) {
    EXPECT_FALSE(e) << e;
    client.shutdown(socket::shutdown_send);
  });
  reach(client, State::fin_wait_2);
  EXPECT_EQ(with_fin, std::vector<std::size_t>{20 + 32 + 14});
  left.close();  // The last that the view sees.
}

TEST_F(CloseTest, closing_with_text_unread_resets_the_peer) {
  connect();
  asio::async_write(client, asio::buffer("unread"s), asio::detached);
  run_until([&] { return server.available() == 6; });
  server.close();
  std::optional<error_code> error;
  char octet;
  client.async_read_some(asio::buffer(&octet, 1), [&](error_code e, std::size_t) { error = e; });
  run_until([&] { return error.has_value(); });
  EXPECT_EQ(*error, asio::error::connection_reset);
}

TEST_F(CloseTest, abort_resets_the_peer_at_once) {
  connect();
  std::optional<error_code> error;
  char octet;
  server.async_read_some(asio::buffer(&octet, 1), [&](error_code e, std::size_t) { error = e; });
  client.abort();
  EXPECT_FALSE(client.is_open());
  run_until([&] { return error.has_value(); });
  EXPECT_EQ(*error, asio::error::connection_reset);
}

TEST_F(CloseTest, async_close_waits_until_all_is_acknowledged) {
  connect();
  const std::string text(300'000, 'l');
  std::string heard;
  std::optional<error_code> closed, read;
  asio::async_write(client, asio::buffer(text), [&](error_code, std::size_t) {
    client.async_close(10s, [&](error_code e) { closed = e; });
    EXPECT_FALSE(client.is_open());
  });
  asio::async_read(server, asio::dynamic_buffer(heard),
                   [&](error_code e, std::size_t) { read = e; });
  run_until([&] { return closed && read; });
  EXPECT_FALSE(*closed) << *closed;
  EXPECT_EQ(heard, text);
}

TEST_F(CloseTest, async_close_waits_for_what_was_written_after_all_was_acknowledged_once) {
  connect();
  client.async_write_some(asio::buffer("first"s), asio::detached);
  run_until([&] { return server.available() == 5 && client.status().send_queue == 0; });
  fill_the_peers_buffer();
  std::optional<error_code> closed;
  client.async_close(1ms, [&](error_code e) { closed = e; });
  run_until([&] { return closed.has_value(); });
  EXPECT_EQ(*closed, asio::error::timed_out);
}

TEST_F(CloseTest, async_close_after_a_fin_that_was_acknowledged_is_done) {
  connect();
  client.async_write_some(asio::buffer("all"s), asio::detached);
  client.shutdown(socket::shutdown_send);
  reach(client, State::fin_wait_2);
  std::optional<error_code> closed;
  client.async_close(10s, [&](error_code e) { closed = e; });
  run_until([&] { return closed.has_value(); });
  EXPECT_FALSE(*closed) << *closed;
}

TEST_F(CloseTest, async_close_gives_up_waiting_after_its_time) {
  connect();
  right.close();  // Its reset is the last that is heard of it,
  char octet;
  std::optional<error_code> read, closed;
  client.async_read_some(asio::buffer(&octet, 1), [&](error_code e, std::size_t) { read = e; });
  run_until([&] { return read.has_value(); });
  EXPECT_EQ(*read, asio::error::connection_reset);
  socket silent{left};
  silent.async_connect(seven(), asio::detached);  // so that this connects to nobody.
  silent.async_close(1ms, [&](error_code e) { closed = e; });
  run_until([&] { return closed.has_value(); });
  EXPECT_EQ(*closed, asio::error::not_connected);
}

TEST_F(CloseTest, async_close_times_out_when_the_peer_does_not_acknowledge) {
  connect();
  // More than the peer's buffer takes while it does not read: the FIN cannot even be sent.
  fill_the_peers_buffer();
  std::optional<error_code> closed;
  client.async_close(1ms, [&](error_code e) { closed = e; });
  run_until([&] { return closed.has_value(); });
  EXPECT_EQ(*closed, asio::error::timed_out);
  ASSERT_EQ(left.snapshot().connections.size(), 1u);
  EXPECT_TRUE(left.snapshot().connections[0].orphan) << "the rest goes on in the background";
}

TEST_F(CloseTest, destroying_a_socket_ends_its_operations_with_operation_aborted) {
  connect();
  std::optional<error_code> error;
  char octet;
  {
    socket doomed{std::move(server)};
    doomed.async_read_some(asio::buffer(&octet, 1), [&](error_code e, std::size_t) { error = e; });
  }
  EXPECT_FALSE(error) << "posted, not called";
  run_until([&] { return error.has_value(); });
  EXPECT_EQ(*error, asio::error::operation_aborted);
}

TEST_F(CloseTest, a_closed_socket_is_not_connected) {
  connect();
  client.close();
  error_code error;
  EXPECT_EQ(client.local_endpoint(error), endpoint{});
  EXPECT_EQ(error, asio::error::not_connected);
  EXPECT_THROW((void)client.remote_endpoint(), boost::system::system_error);
  EXPECT_THROW((void)client.status(), boost::system::system_error);
  client.shutdown(socket::shutdown_both, error);
  EXPECT_EQ(error, asio::error::not_connected);
  char octet;
  EXPECT_EQ(client.read_some(asio::buffer(&octet, 1), error), 0u);
  EXPECT_EQ(error, asio::error::not_connected);
  EXPECT_EQ(client.available(), 0u);
  EXPECT_EQ(client.urgent_remaining(), 0u);
  EXPECT_FALSE(client.at_mark());
}

TEST_F(CloseTest, a_finished_connection_lets_run_return) {
  connect();
  io.restart();
  client.close();
  char octet;
  asio::co_spawn(
      io,
      [](socket& s, char& c) -> asio::awaitable<void> {
        const auto [error, size] =
            co_await s.async_read_some(asio::buffer(&c, 1), asio::as_tuple(use_awaitable));
        EXPECT_EQ(error, asio::error::eof);
        s.close();
      }(server, octet),
      asio::detached);
  io.run();  // Returns, though the hosts live and `left` is in TIME-WAIT.
  EXPECT_TRUE(left.snapshot().connections.empty());
  EXPECT_EQ(left.snapshot().time_wait.size(), 1u);
}

TEST_F(CloseTest, memory_returns_to_what_it_was) {
  const auto& pool = left.pool();
  EXPECT_EQ(&pool, &right.pool());
  connect();
  client.abort(), server.abort();
  run_until(
      [&] { return right.snapshot().connections.empty() && left.snapshot().connections.empty(); });
  while (io.poll() > 0) {}
  const auto before = pool.live_bytes();
  for (int i = 0; i < 20; ++i) {
    connect();
    const std::string text(100'000, 'm');
    std::string heard;
    bool done = false;
    asio::async_write(client, asio::buffer(text), [&](error_code, std::size_t) { client.close(); });
    asio::async_read(server, asio::dynamic_buffer(heard), [&](error_code, std::size_t) {
      server.close();
      done = true;
    });
    run_until([&] {
      return done && left.snapshot().connections.empty() && right.snapshot().connections.empty();
    });
  }
  while (io.poll() > 0) {}
  EXPECT_EQ(pool.live_bytes(), before);
}

}  // namespace
}  // namespace estab::net::test
