// SPDX-License-Identifier: Apache-2.0
// relay(a, b) between our streams and the kernel's.
#include "fixture.hpp"

namespace estab::net::test {
namespace {

using Local = asio::local::stream_protocol::socket;

// client ~ server = relay = near ~ far; ~ is a TCP of ours, then a pair of the kernel's sockets.
class RelayTest : public NetTest {
 public:
  RelayTest() { asio::local::connect_pair(near, far); }
  void start() {
    connect();
    relay(server, near, [this](error_code e, relay_counts c) { error = e, counts = c; });
  }
  Local near{io}, far{io};
  std::optional<error_code> error;
  relay_counts counts;
};

TEST_F(RelayTest, a_half_close_passes_while_the_other_way_goes_on) {
  start();
  play([](socket& c, Local& f) -> asio::awaitable<void> {
    co_await asio::async_write(c, asio::buffer("question"s), use_awaitable);
    c.shutdown(socket::shutdown_send);
    std::string heard;
    const auto [eof, size] =
        co_await asio::async_read(f, asio::dynamic_buffer(heard), asio::as_tuple(use_awaitable));
    EXPECT_EQ(eof, asio::error::eof);
    EXPECT_EQ(heard, "question");
    co_await asio::async_write(f, asio::buffer("the answer"s), use_awaitable);
    f.shutdown(Local::shutdown_send);
    std::string answer;
    const auto [end, n] =
        co_await asio::async_read(c, asio::dynamic_buffer(answer), asio::as_tuple(use_awaitable));
    EXPECT_EQ(end, asio::error::eof);
    EXPECT_EQ(answer, "the answer");
  }(client, far));
  run_until([&] { return error.has_value(); });
  EXPECT_FALSE(*error) << *error;
  EXPECT_EQ(counts.a_to_b, 8u);
  EXPECT_EQ(counts.b_to_a, 10u);
}

TEST_F(RelayTest, megabytes_pass_both_ways_at_once) {
  start();
  constexpr std::size_t size = 4 << 20;
  std::vector<char> up(size), down(size), got_up(size), got_down(size);
  for (std::size_t i = 0; i < size; ++i) up[i] = char(i * 31 >> 7), down[i] = char(i * 17 >> 5);
  int done = 0;
  const auto step = [&](error_code e, std::size_t n) {
    EXPECT_FALSE(e) << e;
    EXPECT_EQ(n, size);
    ++done;
  };
  asio::async_write(client, asio::buffer(up), step);
  asio::async_write(far, asio::buffer(down), step);
  asio::async_read(client, asio::buffer(got_down), step);
  asio::async_read(far, asio::buffer(got_up), step);
  run_until([&] { return done == 4; });
  EXPECT_TRUE(got_up == up);
  EXPECT_TRUE(got_down == down);
}

TEST_F(RelayTest, a_reader_that_does_not_read_holds_the_writer_back) {
  start();
  const std::string block(1 << 20, 'r');
  std::size_t written = 0;
  // Until nothing moves any more: `far` never reads.
  client.set_option(asio::socket_base::send_buffer_size{4 << 20});
  for (error_code e; client.status().send_queue < client.options().send_buffer;) {
    written += client.write_some(asio::buffer(block), e);
    io.run_one_for(10ms);
  }
  EXPECT_FALSE(error);
  EXPECT_LT(counts.a_to_b + written, std::size_t{64} << 20);
}

TEST_F(RelayTest, a_reset_of_one_side_is_not_taken_for_an_end_by_the_other) {
  start();
  std::optional<error_code> end;
  char text[64];
  client.abort();
  far.async_read_some(asio::buffer(text), [&](error_code e, std::size_t) { end = e; });
  run_until([&] { return error && end; });
  EXPECT_EQ(*error, asio::error::connection_reset);
  EXPECT_FALSE(near.is_open());
  EXPECT_FALSE(server.is_open());
}

// Nothing is read of the one that fails, since the other side takes nothing.
TEST_F(RelayTest, a_reset_is_seen_behind_a_side_that_takes_nothing) {
  start();
  const std::string block(1 << 20, 'r');
  client.set_option(asio::socket_base::send_buffer_size{4 << 20});
  for (error_code e; client.status().send_queue < client.options().send_buffer;) {
    client.write_some(asio::buffer(block), e);
    io.run_one_for(10ms);
  }
  ASSERT_FALSE(error);
  client.abort();
  run_until([&] { return error.has_value(); });
  EXPECT_EQ(*error, asio::error::connection_reset);
  EXPECT_EQ(counts.failed_by, relay_side::a);
  EXPECT_FALSE(near.is_open());
}

// server = relay = near ~ far, where near ~ far is a TCP of the kernel's.
class KernelRelayTest : public NetTest {
 public:
  using Tcp = asio::ip::tcp;
  void start(const relay_options& options = {}) {
    auto small = client.options();
    small.receive_buffer = 32 << 10;
    client.set_options(small);
    connect();
    Tcp::acceptor gate{io, {asio::ip::address_v4::loopback(), 0}};
    near.connect(gate.local_endpoint());
    gate.accept(far);
    relay(server, near, options, [this](error_code e, relay_counts c) { error = e, counts = c; });
  }
  Tcp::socket near{io}, far{io};
  // The client has had a reset as well.
  void reach_end() {
    run_until([&] {
      error_code gone;
      return client.status(gone).state == State::closed;
    });
    EXPECT_EQ(client.complaint(), asio::error::connection_reset);
  }
  std::optional<error_code> error;
  relay_counts counts;
};

TEST_F(KernelRelayTest, a_kernels_reset_is_seen_behind_a_side_that_takes_nothing) {
  start();
  const std::string block(1 << 20, 'r');
  far.non_blocking(true);
  // Until nothing moves any more: `client` never reads.
  for (int stuck = 0; stuck < 20;) {
    error_code e;
    far.write_some(asio::buffer(block), e);
    stuck = e == asio::error::would_block ? stuck + 1 : 0;
    io.run_one_for(10ms);
  }
  ASSERT_FALSE(error);
  far.set_option(Tcp::socket::linger{true, 0});
  far.close();
  run_until([&] { return error.has_value(); });
  EXPECT_EQ(*error, asio::error::connection_reset);
  EXPECT_EQ(counts.failed_by, relay_side::b);
  reach_end();
}

TEST_F(KernelRelayTest, an_end_of_both_ways_is_no_failure) {
  start();
  client.shutdown(socket::shutdown_send);
  far.shutdown(Tcp::socket::shutdown_send);
  run_until([&] { return error.has_value(); });
  EXPECT_FALSE(*error) << *error;
  EXPECT_EQ(counts.failed_by, relay_side::neither);
}

TEST_F(KernelRelayTest, what_is_idle_for_the_time_is_reset_on_both_sides) {
  start({.idle = 100ms});
  run_until([&] { return error.has_value(); });
  EXPECT_EQ(*error, asio::error::timed_out);
  EXPECT_EQ(counts.failed_by, relay_side::neither);
  char octet;
  error_code end;
  far.read_some(asio::buffer(&octet, 1), end);
  EXPECT_EQ(end, asio::error::connection_reset);
  reach_end();
}

TEST_F(KernelRelayTest, where_neither_side_has_ever_spoken_the_first_time_counts) {
  start({.idle = 1h, .first = 100ms});
  run_until([&] { return error.has_value(); });
  ASSERT_TRUE(error);
  EXPECT_EQ(*error, asio::error::timed_out);
  reach_end();
}

TEST_F(KernelRelayTest, after_the_first_octet_only_idleness_counts) {
  start({.idle = 0s, .first = 50ms});
  asio::write(far, asio::buffer("x", 1));
  char octet = 0;
  play([](socket& c, char& into) -> asio::awaitable<void> {
    co_await asio::async_read(c, asio::buffer(&into, 1), use_awaitable);
    asio::steady_timer pause(c.get_executor(), 300ms);
    co_await pause.async_wait(use_awaitable);
  }(client, octet));
  EXPECT_EQ(octet, 'x');
  EXPECT_FALSE(error) << *error;
}

// The relay writes nothing any more: all of it waits in its socket for a peer that is slow.
TEST_F(KernelRelayTest, a_peer_that_takes_what_was_written_before_is_not_idle) {
  start({.idle = 400ms});
  const std::string text(512 << 10, 's');
  asio::write(far, asio::buffer(text));
  run_until([&] { return server.status().send_queue > 0; });
  std::string got(text.size(), ' ');
  play([](socket& c, std::string& into) -> asio::awaitable<void> {
    asio::steady_timer pause(c.get_executor());
    for (std::size_t at = 0; at < into.size(); at += 16 << 10) {  // For 32 * 50 ms in all.
      co_await asio::async_read(c, asio::buffer(&into[at], 16 << 10), use_awaitable);
      pause.expires_after(50ms);
      co_await pause.async_wait(use_awaitable);
    }
  }(client, got));
  EXPECT_EQ(got, text);
  EXPECT_FALSE(error) << *error;
}

TEST_F(RelayTest, terminal_cancellation_ends_both_ways) {
  connect();
  asio::cancellation_signal signal;
  relay(server, near,
        asio::bind_cancellation_slot(signal.slot(),
                                     [this](error_code e, relay_counts) { error = e; }));
  io.poll();
  signal.emit(asio::cancellation_type::terminal);
  EXPECT_FALSE(error);
  run_until([&] { return error.has_value(); });
  EXPECT_EQ(*error, asio::error::operation_aborted);
  EXPECT_FALSE(server.is_open());
}

TEST_F(RelayTest, a_coroutine_awaits_a_relay_of_two_of_our_own) {
  connect();
  const auto one = std::make_shared<socket>(std::move(client)),
             two = std::make_shared<socket>(std::move(server));
  socket c2{left}, s2{right};
  client = std::move(c2), server = std::move(s2);
  connect();
  // two = relay = client ~ server: what `one` says reaches `server`, across the wire twice.
  asio::co_spawn(
      io,
      [](std::shared_ptr<socket> a, socket& b, RelayTest& test) -> asio::awaitable<void> {
        test.counts = co_await relay(*a, b);
        test.error = error_code{};
      }(two, client, *this),
      asio::detached);
  play([](socket& a, socket& b) -> asio::awaitable<void> {
    co_await asio::async_write(a, asio::buffer("far away"s), use_awaitable);
    char text[8];
    co_await asio::async_read(b, asio::buffer(text), use_awaitable);
    EXPECT_EQ(std::string(text, 8), "far away");
    a.shutdown(socket::shutdown_send);
    b.shutdown(socket::shutdown_send);
  }(*one, server));
  run_until([&] { return error.has_value(); });
  EXPECT_EQ(counts.a_to_b, 8u);
}

}  // namespace
}  // namespace estab::net::test
