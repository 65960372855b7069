// SPDX-License-Identifier: Apache-2.0
// A stream of gigabytes: what is remembered of the past must not come back as the future.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "scenes.hpp"

namespace estab::script {
namespace {

// Sends so many octets in segments of 65,000, each of which is acknowledged; all are whole.
std::uint32_t stream(Conversation& c, std::uint64_t octets) {
  constexpr std::uint32_t segment = 65000;
  std::uint32_t next = 1;
  for (std::uint64_t sent = 0; sent < octets; sent += segment, next += segment) {
    c.user_send(segment);
    (void)c.take_sent();
    c.peer(fmt::format(". 1:1 ack {} win 65535", std::int32_t(next + segment)));
  }
  return next;
}

std::string segment_of(std::string_view flags, std::uint32_t seq, std::uint32_t length) {
  const std::int64_t begin = std::int32_t(seq);
  return fmt::format("{} {}:{} ack 1", flags, begin, begin + length);
}

Scene jumbo() {
  Scene scene{.mtu = 65535, .check_text = false};
  scene.tcp.window_scaling = true;
  return scene;
}

constexpr const char* window = "win 65535 <mss 65000,nop,wscale 4>";

TEST(Wrap, After_two_gigabytes_without_loss_neither_Nagle_nor_recovery_looks_back) {
  Conversation c{jumbo()};
  c.open_passive(window);
  const auto next = stream(c, 2'200'000'000);
  c.user_send(100);  // Nothing is out that it had to wait for.
  c.expect(segment_of("P.", next, 100));
  c.peer(fmt::format(". 1:1 ack {} win 65535", std::int32_t(next + 100)));
  c.user_send(4 * 65000);
  EXPECT_EQ(c.take_sent().size(), 4u);
  for (int i = 0; i < 3; ++i) {
    (void)c.take_sent();
    c.peer(fmt::format(". 1:1 ack {} win 65535", std::int32_t(next + 100)));
  }
  c.expect(segment_of(".", next + 100, 65000), Reason::retransmit_fast);
}

}  // namespace
}  // namespace estab::script
