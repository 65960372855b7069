// SPDX-License-Identifier: Apache-2.0
// Error codes compare equal to Boost.Asio's, and are told once.
#include "estab/net/error.hpp"
#include "fixture.hpp"

namespace estab::net::test {
namespace {

using ErrorTest = NetTest;

error_code connect_to(asio::io_context& io, socket& s, const endpoint& remote) {
  std::optional<error_code> result;
  s.async_connect(remote, [&](error_code e) { result = e; });
  run_until(io, [&] { return result.has_value(); });
  return result.value_or(error_code{});
}

TEST_F(ErrorTest, a_port_where_nobody_listens_refuses) {
  EXPECT_EQ(connect_to(io, client, seven()), asio::error::connection_refused);
  EXPECT_FALSE(client.is_open());
  connect();  // The same socket may be used again.
}

TEST_F(ErrorTest, a_peer_that_is_none_is_an_invalid_argument) {
  EXPECT_EQ(connect_to(io, client, {asio::ip::make_address("10.0.0.2"), 0}),
            asio::error::invalid_argument);
  EXPECT_EQ(connect_to(io, client, {asio::ip::make_address("224.0.0.1"), 7}),
            asio::error::invalid_argument);
}

TEST_F(ErrorTest, a_host_without_a_route_says_network_unreachable) {
  auto wire = link::memory_pair();
  host lonely{io, std::move(wire.first), {.address = "10.1.0.1/24", .default_route = false}};
  socket caller{lonely};
  EXPECT_EQ(connect_to(io, caller, seven()), asio::error::network_unreachable);
}

TEST_F(ErrorTest, a_second_listener_at_an_endpoint_finds_the_address_in_use) {
  acceptor first{right, {estab::any, 7}};
  try {
    acceptor second{right, {estab::any, 7}};
    FAIL();
  } catch (const boost::system::system_error& e) {
    EXPECT_EQ(e.code(), asio::error::address_in_use);
  }
}

TEST_F(ErrorTest, an_address_that_is_not_ours_is_not_available) {
  error_code error;
  acceptor gate{right};
  gate.listen({asio::ip::make_address("10.9.9.9"), 7}, {}, error);
  EXPECT_EQ(error, boost::system::errc::address_not_available);
  EXPECT_FALSE(gate.is_open());
}

TEST_F(ErrorTest, a_second_connect_of_a_socket_is_refused_while_the_first_goes_on) {
  acceptor gate{right, {estab::any, 7}};
  std::optional<error_code> first, second, third;
  client.async_connect(seven(), [&](error_code e) { first = e; });
  client.async_connect(seven(), [&](error_code e) { second = e; });
  run_until([&] { return first && second; });
  EXPECT_FALSE(*first) << *first;
  EXPECT_EQ(*second, asio::error::already_started);
  client.async_connect(seven(), [&](error_code e) { third = e; });
  run_until([&] { return third.has_value(); });
  EXPECT_EQ(*third, asio::error::already_connected);
}

TEST_F(ErrorTest, a_reset_is_told_to_all_that_wait_and_then_there_is_no_connection) {
  connect();
  std::vector<error_code> told;
  char octet;
  const auto handler = [&](error_code e, std::size_t = 0) { told.push_back(e); };
  server.async_read_some(asio::buffer(&octet, 1), handler);
  server.async_read_some(asio::buffer(&octet, 1), handler);
  server.async_wait_urgent(handler);
  io.poll();
  client.abort();
  run_until([&] { return told.size() == 3; });
  for (const auto& error : told) EXPECT_EQ(error, asio::error::connection_reset);
  told.clear();
  server.async_read_some(asio::buffer(&octet, 1), handler);
  server.async_write_some(asio::buffer(&octet, 1), handler);
  run_until([&] { return told.size() == 2; });
  for (const auto& error : told) EXPECT_EQ(error, asio::error::not_connected);
  EXPECT_EQ(server.complaint(), asio::error::connection_reset);
}

TEST_F(ErrorTest, a_reset_that_nobody_waited_for_is_told_to_the_next_operation) {
  connect();
  client.abort();
  reach(server, State::closed);
  std::vector<error_code> told;
  char octet;
  for (int i = 0; i < 2; ++i)
    server.async_write_some(asio::buffer(&octet, 1),
                            [&](error_code e, std::size_t) { told.push_back(e); });
  run_until([&] { return told.size() == 2; });
  EXPECT_EQ(told[0], asio::error::connection_reset);
  EXPECT_EQ(told[1], asio::error::not_connected);
}

TEST_F(ErrorTest, what_arrived_before_a_reset_is_read_after_a_write_has_been_told_of_it) {
  connect();
  client.async_write_some(asio::buffer("answer"s), [](error_code, std::size_t) {});
  run_until([&] { return server.available() == 6; });
  client.abort();
  reach(server, State::closed);
  std::vector<error_code> told;
  char text[100];
  std::size_t size = 0;
  const auto handler = [&](error_code e, std::size_t n) { told.push_back(e), size += n; };
  server.async_write_some(asio::buffer("more"s), handler);
  server.async_read_some(asio::buffer(text), handler);
  server.async_read_some(asio::buffer(text), handler);
  run_until([&] { return told.size() == 3; });
  EXPECT_EQ(told[0], asio::error::connection_reset);
  EXPECT_FALSE(told[1]);
  EXPECT_EQ(std::string_view(text, size), "answer");
  EXPECT_EQ(told[2], asio::error::not_connected);  // The reset has been told.
}

TEST_F(ErrorTest, a_peer_that_vanishes_is_a_time_out) {
  connect();
  auto options = client.options();
  options.user_timeout = 1s;
  client.set_options(options);
  std::optional<error_code> error;
  char octet;
  right.close();  // Its reset would end it sooner: so a connection that `right` has forgotten.
  client.async_read_some(asio::buffer(&octet, 1), [&](error_code e, std::size_t) { error = e; });
  run_until([&] { return error.has_value(); });
  EXPECT_EQ(*error, asio::error::connection_reset);
  // Now nobody is there at all.
  error.reset();
  socket caller{left};
  caller.set_options(options);
  caller.async_connect(seven(), [&](error_code e) { error = e; });
  run_until([&] { return error.has_value(); });
  EXPECT_EQ(*error, asio::error::timed_out);
}

TEST_F(ErrorTest, each_error_of_the_stack_has_its_code) {
  EXPECT_EQ(to_error_code(Error::none), error_code{});
  EXPECT_EQ(to_error_code(Error::no_memory), asio::error::no_buffer_space);
  EXPECT_EQ(to_error_code(Error::unreachable), asio::error::host_unreachable);
  EXPECT_EQ(to_error_code(Error::aborted), asio::error::connection_aborted);
  EXPECT_EQ(to_error_code(Error::timed_out), asio::error::timed_out);
  EXPECT_EQ(to_error_code(Error::would_block), asio::error::would_block);
}

}  // namespace
}  // namespace estab::net::test
