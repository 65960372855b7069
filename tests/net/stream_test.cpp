// SPDX-License-Identifier: Apache-2.0
// AsyncReadStream and AsyncWriteStream, sentence by sentence.
#include <boost/beast/core/stream_traits.hpp>

#include "fixture.hpp"

namespace estab::net::test {
namespace {

static_assert(boost::beast::is_async_read_stream<socket>::value);
static_assert(boost::beast::is_async_write_stream<socket>::value);
static_assert(std::is_nothrow_move_constructible_v<socket> &&
              std::is_nothrow_move_assignable_v<socket>);

using StreamTest = NetTest;

TEST_F(StreamTest, what_one_end_writes_the_other_reads) {
  connect();
  play([](socket& a, socket& b) -> asio::awaitable<void> {
    EXPECT_EQ(co_await a.async_write_some(asio::buffer("hello"s), use_awaitable), 5u);
    char text[16];
    const auto size = co_await b.async_read_some(asio::buffer(text), use_awaitable);
    EXPECT_EQ(std::string(text, size), "hello");
  }(client, server));
}

TEST_F(StreamTest, no_handler_runs_inside_the_call_that_starts_its_operation) {
  connect();
  bool inside = true;
  int handlers = 0;
  const auto handler = [&](error_code, std::size_t = 0) {
    EXPECT_FALSE(inside);
    ++handlers;
  };
  char octet = 'x';
  client.async_write_some(asio::buffer(&octet, 1), handler);  // Can be done at once.
  client.async_read_some(asio::buffer(&octet, 0), handler);   // So can this,
  client.async_wait(socket::wait_write, [&](error_code e) { handler(e); });
  socket unconnected{left};
  unconnected.async_read_some(asio::buffer(&octet, 1), handler);  // and this fails at once.
  server.async_read_some(asio::buffer(&octet, 1), handler);       // This waits,
  server.cancel();                                                // and is cancelled at once.
  inside = false;
  run_until([&] { return handlers == 5; });
}

TEST_F(StreamTest, operations_on_no_octets_complete_at_once_whatever_the_connection_does) {
  connect();
  int handlers = 0;
  const auto handler = [&](error_code e, std::size_t size) {
    EXPECT_FALSE(e) << e;
    EXPECT_EQ(size, 0u);
    ++handlers;
  };
  client.async_read_some(asio::mutable_buffer{}, handler);
  client.async_write_some(asio::const_buffer{}, handler);
  server.async_read_some(std::array<asio::mutable_buffer, 3>{}, handler);
  run_until([&] { return handlers == 3; });
}

TEST_F(StreamTest, buffer_sequences_are_gathered_and_scattered_in_order) {
  connect();
  play([](socket& a, socket& b) -> asio::awaitable<void> {
    const std::vector<std::string> parts{"one", "", "two", "three"};
    std::vector<asio::const_buffer> out;
    for (const auto& part : parts) out.push_back(asio::buffer(part));
    EXPECT_EQ(co_await a.async_write_some(out, use_awaitable), 11u);
    std::string first(4, '\0'), none, rest(7, '\0');
    const std::array in{asio::buffer(first), asio::buffer(none), asio::buffer(rest)};
    EXPECT_EQ(co_await asio::async_read(b, in, use_awaitable), 11u);
    EXPECT_EQ(first + rest, "onetwothree");
  }(client, server));
}

TEST_F(StreamTest, more_buffers_than_are_looked_at_are_served_by_composed_operations) {
  connect();
  play([](socket& a, socket& b) -> asio::awaitable<void> {
    std::string text(100, '\0');
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = char('!' + i % 90);
    std::vector<asio::const_buffer> out;
    for (const auto& c : text) out.push_back(asio::buffer(&c, 1));
    EXPECT_EQ(co_await asio::async_write(a, out, use_awaitable), 100u);
    std::string got(100, '\0');
    co_await asio::async_read(b, asio::buffer(got), use_awaitable);
    EXPECT_EQ(got, text);
  }(client, server));
}

TEST_F(StreamTest, reads_that_wait_are_served_in_the_order_they_were_started) {
  connect();
  std::string order;
  char a, b, c;
  const auto next = [&](char& octet) {
    return [&](error_code e, std::size_t) {
      EXPECT_FALSE(e) << e;
      order += octet;
    };
  };
  server.async_read_some(asio::buffer(&a, 1), next(a));
  server.async_read_some(asio::buffer(&b, 1), next(b));
  server.async_read_some(asio::buffer(&c, 1), next(c));
  asio::async_write(client, asio::buffer("abc", 3), asio::detached);
  run_until([&] { return order.size() == 3; });
  EXPECT_EQ(order, "abc");
}

TEST_F(StreamTest, eof_comes_at_the_peers_fin_while_writing_goes_on) {
  connect();
  play([](socket& a, socket& b) -> asio::awaitable<void> {
    co_await asio::async_write(a, asio::buffer("last words"s), use_awaitable);
    a.shutdown(socket::shutdown_send);
    std::string heard;
    const auto [error, size] =
        co_await asio::async_read(b, asio::dynamic_buffer(heard), asio::as_tuple(use_awaitable));
    EXPECT_EQ(error, asio::error::eof);
    EXPECT_EQ(heard, "last words");
    EXPECT_EQ(b.status().state, State::close_wait);
    // The half-close goes on carrying data, for as long as the program likes.
    for (int i = 0; i < 100; ++i) {
      co_await asio::async_write(b, asio::buffer("still here"s), use_awaitable);
      char text[10];
      co_await asio::async_read(a, asio::buffer(text), use_awaitable);
      EXPECT_EQ(std::string(text, 10), "still here");
    }
  }(client, server));
}

TEST_F(StreamTest, a_writer_waits_while_the_reader_does_not_read) {
  connect();
  client.set_option(asio::socket_base::send_buffer_size{4 << 20});
  const std::string block(1 << 20, 'b');
  std::size_t written = 0, started = 0, completed = 0;
  std::function<void()> write = [&] {
    ++started;
    client.async_write_some(asio::buffer(block), [&](error_code e, std::size_t size) {
      EXPECT_FALSE(e) << e;
      written += size;
      ++completed;
      write();
    });
  };
  write();
  // The buffers of both ends fill, then nothing moves: the loop has only timers left.
  while (io.run_one_for(300ms) > 0 && client.status().send_queue < client.options().send_buffer) {}
  while (io.poll_one() > 0) {}
  EXPECT_EQ(started, completed + 1);
  const auto room = client.options().send_buffer + server.options().receive_buffer;
  EXPECT_LE(written, room);
  std::size_t read = 0;
  std::vector<char> sink(1 << 20);
  std::function<void()> drain = [&] {
    server.async_read_some(asio::buffer(sink), [&](error_code e, std::size_t size) {
      EXPECT_FALSE(e) << e;
      read += size;
      if (read < 3 * room) drain();
    });
  };
  drain();
  run_until([&] { return read >= 3 * room; });
  EXPECT_GE(written, read);
}

TEST_F(StreamTest, a_moved_socket_carries_its_connection_and_leaves_a_fresh_one_behind) {
  connect();
  socket moved{std::move(client)};
  EXPECT_TRUE(moved.is_open());
  EXPECT_FALSE(client.is_open());
  play([](socket& a, socket& b) -> asio::awaitable<void> {
    co_await asio::async_write(a, asio::buffer("moved"s), use_awaitable);
    char text[5];
    co_await asio::async_read(b, asio::buffer(text), use_awaitable);
    EXPECT_EQ(std::string(text, 5), "moved");
  }(moved, server));
  connect();  // With `client`, anew.
  EXPECT_TRUE(client.is_open());
}

TEST_F(StreamTest, waiting_for_reading_ends_with_text_and_takes_none_of_it) {
  connect();
  play([](socket& a, socket& b) -> asio::awaitable<void> {
    error_code error;
    char text[8];
    EXPECT_EQ(b.read_some(asio::buffer(text), error), 0u);
    EXPECT_EQ(error, asio::error::would_block);
    co_await asio::async_write(a, asio::buffer("ready"s), use_awaitable);
    co_await b.async_wait(socket::wait_read, use_awaitable);
    EXPECT_EQ(b.available(), 5u);
    EXPECT_EQ(b.read_some(asio::buffer(text), error), 5u);
    EXPECT_FALSE(error);
    a.shutdown(socket::shutdown_send);
    co_await b.async_wait(socket::wait_read, use_awaitable);
    EXPECT_EQ(b.read_some(asio::buffer(text), error), 0u);
    EXPECT_EQ(error, asio::error::eof);
  }(client, server));
}

TEST_F(StreamTest, waiting_for_writing_ends_when_the_send_buffer_has_room_again) {
  connect();
  client.set_option(asio::socket_base::send_buffer_size{4 << 20});
  const std::string block(1 << 20, 'w');
  error_code error;
  for (int quiet = 0; quiet < 3;) {
    const auto size = client.write_some(asio::buffer(block), error);
    quiet = size > 0 ? 0 : quiet + 1;
    while (io.run_one_for(50ms) > 0 && client.status().flight > 0 &&
           client.status().send_queue < client.options().send_buffer) {}
  }
  EXPECT_EQ(error, asio::error::would_block);
  bool writable = false;
  client.async_wait(socket::wait_write, [&](error_code e) { writable = !e; });
  io.poll();
  EXPECT_FALSE(writable);
  std::vector<char> sink(8 << 20);
  asio::async_read(server, asio::buffer(sink), asio::transfer_at_least(4 << 20), asio::detached);
  run_until([&] { return writable; });
  EXPECT_GT(client.write_some(asio::buffer(block), error), 0u);
}

}  // namespace
}  // namespace estab::net::test
