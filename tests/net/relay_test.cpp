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
