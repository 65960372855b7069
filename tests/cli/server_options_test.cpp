// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/server_options.hpp"

#include <gtest/gtest.h>

namespace estab::cli {
namespace {

StackConfig stack_of(const ServerOptions& options) {
  StackConfig stack;
  apply(options, stack);
  return stack;
}

TEST(ServerOptions, the_write_timeout_is_the_user_timeout_of_every_connection) {
  EXPECT_EQ(stack_of({}).tcp.defaults.user_timeout, 60s);
  EXPECT_EQ(stack_of({.write = 0s}).tcp.defaults.user_timeout, 0s);
  EXPECT_EQ(stack_of({.write = 250ms}).tcp.defaults.user_timeout, 250ms);
}

TEST(ServerOptions, a_write_timeout_that_no_setting_of_tcp_holds_is_the_longest_one) {
  EXPECT_EQ(stack_of({.write = 24'000h}).tcp.defaults.user_timeout, Milliseconds::max());
}

TEST(ServerOptions, the_memory_limit_is_the_stacks) {
  EXPECT_EQ(stack_of({}).tcp.memory_limit, tcp::Config{}.memory_limit);
  EXPECT_EQ(stack_of({.memory_limit = 128 << 20}).tcp.memory_limit, 128u << 20);
}

}  // namespace
}  // namespace estab::cli
