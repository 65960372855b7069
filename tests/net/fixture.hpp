// SPDX-License-Identifier: Apache-2.0
// Two hosts on one wire in memory, in one io_context.
#pragma once
#include <gtest/gtest.h>

#include <boost/asio.hpp>
#include <string>

#include "estab/link/memory.hpp"
#include "estab/net/acceptor.hpp"
#include "estab/net/host.hpp"
#include "estab/net/relay.hpp"
#include "estab/net/socket.hpp"

namespace estab::net::test {

namespace asio = boost::asio;
using asio::use_awaitable;
using namespace std::string_literals;

// Runs until `done`, or fails: nothing in these tests takes seconds.
template <class Done>
void run_until(asio::io_context& io, Done done) {
  io.restart();
  while (!done() && io.run_one_for(20s) > 0) {}
  EXPECT_TRUE(done()) << "the loop went idle, or 20 seconds passed";
}

class NetTest : public testing::Test {
 protected:
  NetTest() : NetTest(link::memory_pair()) {}
  explicit NetTest(auto wire)
      : left(io, std::move(wire.first),
             {.address = "10.0.0.1/24", .more_addresses = {"fd00::1/64"}}),
        right(io, std::move(wire.second),
              {.address = "10.0.0.2/24", .more_addresses = {"fd00::2/64"}}) {}

  template <class Done>
  void run_until(Done done) {
    test::run_until(io, done);
  }

  // Runs a coroutine to its end; what it throws fails the test.
  void play(asio::awaitable<void> scene) {
    bool done = false;
    std::exception_ptr thrown;
    asio::co_spawn(io, std::move(scene), [&](std::exception_ptr e) { done = true, thrown = e; });
    run_until([&] { return done; });
    if (thrown) std::rethrow_exception(thrown);
  }

  // Opens a connection from `left` to port 7 of `right`.
  void connect() {
    acceptor gate{right, {estab::any, 7}};
    int steps = 0;
    const auto step = [&](error_code e) {
      EXPECT_FALSE(e) << e;
      ++steps;
    };
    gate.async_accept(server, step);
    client.async_connect(seven(), step);
    run_until([&] { return steps == 2; });
  }
  static endpoint seven() { return {asio::ip::make_address("10.0.0.2"), 7}; }

  // Runs until the connection of `s` has arrived in `state`.
  void reach(const socket& s, State state) {
    run_until([&] { return s.status().state == state; });
  }

  asio::io_context io;
  host left, right;
  socket client{left}, server{right};
};

}  // namespace estab::net::test
