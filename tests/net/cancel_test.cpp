// SPDX-License-Identifier: Apache-2.0
// Cancelling, one operation or all: what it ends, and that it loses nothing.
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "fixture.hpp"

namespace estab::net::test {
namespace {

using CancelTest = NetTest;

struct Result {
  std::optional<error_code> error;
  std::size_t size = 0;
  auto handler() {
    return [this](error_code e, std::size_t n = 0) { error = e, size = n; };
  }
};

TEST_F(CancelTest, a_slot_ends_its_own_operation_and_no_other) {
  connect();
  char first, second;
  Result one, two;
  asio::cancellation_signal signal;
  server.async_read_some(asio::buffer(&first, 1),
                         asio::bind_cancellation_slot(signal.slot(), one.handler()));
  server.async_read_some(asio::buffer(&second, 1), two.handler());
  io.poll();
  signal.emit(asio::cancellation_type::total);
  EXPECT_FALSE(one.error) << "posted, not called";
  run_until([&] { return one.error.has_value(); });
  EXPECT_EQ(*one.error, asio::error::operation_aborted);
  asio::async_write(client, asio::buffer("2"s), asio::detached);
  run_until([&] { return two.error.has_value(); });
  EXPECT_FALSE(*two.error);
  EXPECT_EQ(second, '2');
}

TEST_F(CancelTest, a_signal_after_the_completion_does_nothing) {
  connect();
  char octet;
  Result read, next;
  asio::cancellation_signal signal;
  asio::async_write(client, asio::buffer("x"s), asio::detached);
  server.async_read_some(asio::buffer(&octet, 1),
                         asio::bind_cancellation_slot(signal.slot(), read.handler()));
  run_until([&] { return read.error.has_value(); });
  server.async_read_some(asio::buffer(&octet, 1), next.handler());
  signal.emit(asio::cancellation_type::all);
  io.poll();
  EXPECT_FALSE(next.error);
}

TEST_F(CancelTest, cancel_ends_every_operation_under_way_and_leaves_the_connection) {
  connect();
  char octet;
  Result read, wait, urgent;
  server.async_read_some(asio::buffer(&octet, 1), read.handler());
  server.async_wait(socket::wait_read, wait.handler());
  server.async_wait_urgent(urgent.handler());
  server.cancel();
  run_until([&] { return read.error && wait.error && urgent.error; });
  for (const auto* result : {&read, &wait, &urgent})
    EXPECT_EQ(*result->error, asio::error::operation_aborted);
  EXPECT_EQ(server.status().state, State::established);
}

// Each read is cancelled some steps of the loop after the text for it was written.
TEST_F(CancelTest, cancelling_in_the_middle_of_reads_loses_no_octet) {
  connect();
  std::vector<std::uint8_t> sent(64 << 10), got;
  for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = std::uint8_t(i * 2654435761u >> 24);
  std::uint8_t buffer[97];
  std::size_t written = 0, completed = 0, cancelled = 0;
  for (unsigned round = 0; got.size() < sent.size(); ++round) {
    asio::cancellation_signal signal;
    Result read;
    server.async_read_some(asio::buffer(buffer),
                           asio::bind_cancellation_slot(signal.slot(), read.handler()));
    error_code error;
    const auto rest = std::min<std::size_t>(sent.size() - written, 89);
    written += client.write_some(asio::buffer(sent.data() + written, rest), error);
    for (unsigned i = 0; i < round % 9; ++i) io.poll_one();
    signal.emit(asio::cancellation_type::total);
    run_until([&] { return read.error.has_value(); });
    if (*read.error) {
      EXPECT_EQ(*read.error, asio::error::operation_aborted);
      EXPECT_EQ(read.size, 0u);
      ++cancelled;
    } else {
      got.insert(got.end(), buffer, buffer + read.size);
      ++completed;
    }
  }
  EXPECT_GT(completed, 0u);
  EXPECT_GT(cancelled, 0u);
  EXPECT_EQ(got, sent);
}

TEST_F(CancelTest, a_cancelled_write_that_waited_wrote_nothing) {
  connect();
  const std::string block(1 << 20, 'c');
  std::size_t written = 0;
  Result last;
  asio::cancellation_signal signal;
  for (bool full = false; !full;) {
    last = {};
    client.async_write_some(asio::buffer(block),
                            asio::bind_cancellation_slot(signal.slot(), last.handler()));
    while (!last.error && io.run_one_for(300ms) > 0) {}
    full = !last.error;
    if (!full) written += last.size;
  }
  signal.emit(asio::cancellation_type::total);
  run_until([&] { return last.error.has_value(); });
  EXPECT_EQ(*last.error, asio::error::operation_aborted);
  client.shutdown(socket::shutdown_send);
  std::vector<char> sink;
  bool eof = false;
  asio::async_read(server, asio::dynamic_buffer(sink),
                   [&](error_code e, std::size_t) { eof = e == asio::error::eof; });
  run_until([&] { return eof; });
  EXPECT_EQ(sink.size(), written);
}

TEST_F(CancelTest, a_cancelled_connect_gives_the_attempt_up) {
  left.close();
  asio::cancellation_signal signal;
  Result connected;
  socket caller{right};
  caller.async_connect({asio::ip::make_address("10.0.0.9"), 7},
                       asio::bind_cancellation_slot(signal.slot(), connected.handler()));
  io.poll();
  EXPECT_TRUE(caller.is_open());
  signal.emit(asio::cancellation_type::total);
  run_until([&] { return connected.error.has_value(); });
  EXPECT_EQ(*connected.error, asio::error::operation_aborted);
  EXPECT_FALSE(caller.is_open());
  EXPECT_TRUE(right.snapshot().connections.empty());
}

TEST_F(CancelTest, a_cancelled_accept_leaves_the_connection_to_the_next) {
  acceptor gate{right, {estab::any, 7}};
  asio::cancellation_signal signal;
  std::optional<error_code> first;
  gate.async_accept(asio::bind_cancellation_slot(signal.slot(), [&](error_code e, socket s) {
    first = e;
    EXPECT_FALSE(s.is_open());
  }));
  signal.emit(asio::cancellation_type::total);
  Result connected, accepted;
  client.async_connect(seven(), connected.handler());
  gate.async_accept(server, accepted.handler());
  run_until([&] { return first && connected.error && accepted.error; });
  EXPECT_EQ(*first, asio::error::operation_aborted);
  EXPECT_FALSE(*accepted.error);
  EXPECT_TRUE(server.is_open());
}

TEST_F(CancelTest, a_read_races_a_timer_in_a_coroutine) {
  connect();
  play([](socket& a, socket& b) -> asio::awaitable<void> {
    using namespace asio::experimental::awaitable_operators;
    char text[8];
    asio::steady_timer timer{co_await asio::this_coro::executor, 1ms};
    const auto lost = co_await (b.async_read_some(asio::buffer(text), use_awaitable) ||
                                timer.async_wait(use_awaitable));
    EXPECT_EQ(lost.index(), 1u);
    co_await asio::async_write(a, asio::buffer("whole"s), use_awaitable);
    EXPECT_EQ(co_await b.async_read_some(asio::buffer(text), use_awaitable), 5u);
    EXPECT_EQ(std::string(text, 5), "whole");
  }(client, server));
}

}  // namespace
}  // namespace estab::net::test
