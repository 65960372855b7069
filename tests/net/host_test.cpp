// SPDX-License-Identifier: Apache-2.0
// The life of a host: what its end does to what hangs on it.
#include <filesystem>
#include <thread>

#include "fixture.hpp"

namespace estab::net::test {
namespace {

using HostTest = NetTest;

TEST_F(HostTest, closing_a_host_ends_every_operation_and_resets_the_peer) {
  connect();
  acceptor gate{right, {estab::any, 9}};
  std::optional<error_code> read, accept, peer;
  char octet;
  server.async_read_some(asio::buffer(&octet, 1), [&](error_code e, std::size_t) { read = e; });
  gate.async_accept([&](error_code e, socket) { accept = e; });
  client.async_read_some(asio::buffer(&octet, 1), [&](error_code e, std::size_t) { peer = e; });
  right.close();
  EXPECT_FALSE(read || accept) << "posted, not called";
  run_until([&] { return read && accept && peer; });
  EXPECT_EQ(*read, asio::error::operation_aborted);
  EXPECT_EQ(*accept, asio::error::operation_aborted);
  EXPECT_EQ(*peer, asio::error::connection_reset);
}

TEST_F(HostTest, sockets_may_outlive_their_host) {
  auto wire = link::memory_pair();
  std::optional<host> brief{std::in_place, io, std::move(wire.first),
                            host_options{.address = "10.2.0.1/24"}};
  socket orphan{*brief};
  acceptor gate{*brief, {estab::any, 7}};
  brief.reset();
  std::optional<error_code> connected, accepted;
  orphan.async_connect(seven(), [&](error_code e) { connected = e; });
  gate.async_accept([&](error_code e, socket) { accepted = e; });
  run_until([&] { return connected && accepted; });
  EXPECT_EQ(*connected, asio::error::operation_aborted);
  EXPECT_EQ(*accepted, asio::error::bad_descriptor);
}

TEST_F(HostTest, a_context_may_go_while_a_coroutine_owns_its_host) {
  bool destroyed = false;
  struct Witness {
    bool& gone;
    ~Witness() { gone = true; }
  };
  {
    asio::io_context brief;
    asio::co_spawn(
        brief,
        [](bool& gone) -> asio::awaitable<void> {
          const Witness witness{gone};
          auto executor = co_await asio::this_coro::executor;
          host own{executor, std::move(link::memory_pair().first), {.address = "10.3.0.1/24"}};
          acceptor gate{own, {estab::any, 7}};
          co_await gate.async_accept(use_awaitable);
        }(destroyed),
        asio::detached);
    brief.poll();
    EXPECT_FALSE(destroyed);
  }
  EXPECT_TRUE(destroyed);
}

TEST_F(HostTest, an_address_that_is_none_is_refused) {
  EXPECT_THROW((host{io, std::move(link::memory_pair().first), {.address = "10.0.0.300/24"}}),
               std::invalid_argument);
}

TEST_F(HostTest, a_view_sees_the_handshake_as_transitions) {
  std::vector<State> reached;
  right.add_view([&](const Event& event, Bytes) {
    if (event.kind == EventKind::transition) reached.push_back(event.after);
  });
  connect();
  EXPECT_EQ(reached, (std::vector{State::listen, State::syn_received, State::established}));
  right.close();  // The last that the view sees.
}

TEST_F(HostTest, a_capture_holds_what_was_sent_and_received) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("estab_net_test_" + std::to_string(::getpid()) + ".pcapng");
  {
    auto wire = link::memory_pair();
    host seen{io, std::move(wire.first), {.address = "10.4.0.1/24", .capture = path.string()}};
    host peer{io, std::move(wire.second), {.address = "10.4.0.2/24"}};
    socket caller{seen};
    std::optional<error_code> refused;
    caller.async_connect({asio::ip::make_address("10.4.0.2"), 7},
                         [&](error_code e) { refused = e; });
    run_until([&] { return refused.has_value(); });
  }
  // A section, an interface, the SYN and its reset, each with room for headers and a comment.
  EXPECT_GT(std::filesystem::file_size(path), 200u);
  std::filesystem::remove(path);
}

TEST_F(HostTest, a_full_disk_ends_the_capture_and_nothing_else) {
  auto wire = link::memory_pair();
  host seen{io, std::move(wire.first), {.address = "10.4.0.1/24", .capture = "/dev/full"}};
  host peer{io, std::move(wire.second), {.address = "10.4.0.2/24"}};
  acceptor gate{peer, {estab::any, 7}};
  socket from{seen}, to{peer};
  EXPECT_FALSE(seen.capture_error());
  std::string sent(300'000, 'x'), received(sent.size(), '.');
  bool done = false;
  gate.async_accept(to, [&](error_code e) {
    ASSERT_FALSE(e) << e;
    asio::async_read(to, asio::buffer(received), [&](error_code error, std::size_t) {
      EXPECT_FALSE(error) << error;
      done = true;
    });
  });
  from.async_connect({asio::ip::make_address("10.4.0.2"), 7}, [&](error_code e) {
    ASSERT_FALSE(e) << e;
    asio::async_write(from, asio::buffer(sent), asio::detached);
  });
  run_until([&] { return done; });
  EXPECT_EQ(received, sent);
  EXPECT_EQ(seen.capture_error(), std::errc::no_space_on_device);
}

TEST_F(HostTest, a_capture_that_cannot_be_written_is_refused_at_once) {
  EXPECT_THROW((host{io,
                     std::move(link::memory_pair().first),
                     {.address = "10.4.0.1/24", .capture = "/nowhere/at/all.pcapng"}}),
               std::system_error);
}

#ifndef NDEBUG
TEST_F(HostTest, a_call_from_another_thread_than_the_contexts_is_caught) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  connect();
  EXPECT_DEATH(std::thread([&] {
                 char octet;
                 client.async_read_some(asio::buffer(&octet, 1), asio::detached);
               }).join(),
               "does not run the context");
}
#endif

}  // namespace
}  // namespace estab::net::test
