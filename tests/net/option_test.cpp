// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

namespace estab::net::test {
namespace {

using OptionTest = NetTest;

TEST_F(OptionTest, asios_options_and_estabs_are_the_same_settings) {
  connect();
  EXPECT_TRUE(client.options().nagle);
  client.set_option(asio::ip::tcp::no_delay{true});
  EXPECT_FALSE(client.options().nagle);
  client.set_option(asio::socket_base::keep_alive{true});
  EXPECT_TRUE(client.options().keep_alive);
  client.set_option(asio::socket_base::send_buffer_size{100'000});
  EXPECT_EQ(client.options().send_buffer, 100'000u);
  asio::ip::tcp::no_delay no_delay;
  client.get_option(no_delay);
  EXPECT_TRUE(no_delay.value());
  asio::socket_base::send_buffer_size size;
  client.get_option(size);
  EXPECT_EQ(size.value(), 100'000);
}

TEST_F(OptionTest, an_option_that_is_not_known_is_refused) {
  error_code error;
  client.set_option(asio::socket_base::broadcast{true}, error);
  EXPECT_EQ(error, asio::error::no_protocol_option);
  EXPECT_THROW(client.set_option(asio::socket_base::linger{true, 1}), boost::system::system_error);
}

TEST_F(OptionTest, what_is_set_before_connecting_holds_for_the_connection) {
  auto options = client.options();
  options.nagle = false;
  options.receive_buffer = 50'000;
  client.set_options(options);
  connect();
  EXPECT_FALSE(client.options().nagle);
  EXPECT_EQ(client.options().receive_buffer, 50'000u);
  EXPECT_LE(client.status().receive_window, 50'000u);
}

TEST_F(OptionTest, a_bound_socket_connects_from_where_it_is_bound) {
  client.bind({asio::ip::make_address("10.0.0.1"), 1234});
  connect();
  EXPECT_EQ(server.remote_endpoint().port(), 1234);
}

}  // namespace
}  // namespace estab::net::test
