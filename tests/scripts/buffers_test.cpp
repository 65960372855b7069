// SPDX-License-Identifier: Apache-2.0
// Buffers that grow with what the path carries, and windows that stay within them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conversation.hpp"
#include "estab/tcp/notice_bits.hpp"

namespace estab::script {
namespace {

constexpr std::uint32_t kib = 1024;
constexpr std::string_view all_options = "win 65535 <mss 1460,sackOK,TS 1 0,nop,wscale 7>";

Scene growing() { return {.tcp = {}}; }

// As many bytes as send() takes now.
std::size_t write_all(Conversation& c) {
  static const std::vector<std::byte> much(32 << 20);
  std::size_t written = 0;
  while (const auto taken = c.stack().send(c.line().id, much, {}, c.now()).value_or(0))
    written += taken;
  return written;
}

// --- Sending
// ---------------------------------------------------------------------------------------

TEST(SendBuffer, Is_small_until_the_path_has_carried_something) {
  auto scene = growing();
  scene.check_text = false;
  Conversation c(scene);
  c.open_passive(all_options);
  EXPECT_EQ(write_all(c), 48 * kib);
  EXPECT_LE(c.status().memory, 52 * kib);
  c.run(0s), c.take_sent();
}

TEST(SendBuffer, Grows_with_twice_the_congestion_window_up_to_its_limit) {
  auto scene = growing();
  scene.check_text = false;
  scene.tcp.defaults.send_buffer = 400'000;
  Conversation c(scene);
  c.open_passive("win 65535 <mss 1460,nop,nop,sackOK,nop,wscale 10>");
  std::uint32_t acked = 1;
  for (int round = 0; round < 12; ++round) {
    write_all(c);
    const auto status = c.status();
    EXPECT_LE(status.send_queue, std::max(2 * status.cwnd, 48 * kib));
    EXPECT_GE(status.send_queue, std::min(2 * status.cwnd, 400'000u));
    EXPECT_LE(status.send_queue, 400'000u);
    c.run(20ms);
    auto flight = c.take_sent();
    for (std::size_t i = 0, size = flight.size(); i < size; ++i) {
      acked = std::max(acked, flight[i].seq + flight[i].length);
      c.peer(fmt::format(". 1:1 ack {} win 60000", acked));
      c.take_sent();
    }
    acked = std::max(acked, 1 + std::uint32_t(c.status().octets_sent));
    c.peer(fmt::format(". 1:1 ack {} win 60000", acked));
    c.take_sent();
  }
  c.take_sent();
  EXPECT_GE(write_all(c), 1u);
  EXPECT_EQ(c.status().send_queue, 400'000u);
  c.run(0s), c.take_sent();
}

// The peer takes what its window allows, and acknowledges it, but does not read.
TEST(SendBuffer, Of_a_peer_that_does_not_read_holds_little_beyond_its_window) {
  for (const unsigned window : {3000u, 65535u, 1'000'000u}) {
    auto scene = growing();
    scene.check_text = false;
    Conversation c(scene);
    c.open_passive("win 3000 <mss 1460,nop,nop,sackOK,nop,wscale 7>");
    std::uint32_t acked = 1, most_cwnd = 0;
    for (int round = 0; round < 40; ++round) {
      write_all(c);
      most_cwnd = std::max(most_cwnd, c.status().cwnd);
      EXPECT_LE(c.status().send_queue, std::max(2 * most_cwnd, 48 * kib));
      c.run(20ms);
      for (const auto& sent : c.take_sent()) acked = std::max(acked, sent.seq + sent.length);
      const unsigned left = window + 1 > acked ? window + 1 - acked : 0;
      c.peer(fmt::format(". 1:1 ack {} win {}", acked, left >> 7));
    }
    write_all(c);
    EXPECT_EQ(c.status().send_window, 0u);
    EXPECT_LE(c.status().send_queue, 48 * kib + 127) << "behind a window of " << window;
    EXPECT_LE(c.status().memory, 85 * kib);
    c.take_sent();
  }
}

TEST(SendBuffer, That_the_program_has_set_has_that_size_at_once) {
  auto scene = growing();
  scene.check_text = false;
  scene.tcp.defaults.send_buffer = 300'000;
  scene.tcp.defaults.fixed_send_buffer = true;
  Conversation c(scene);
  c.open_passive();
  EXPECT_EQ(write_all(c), 300'000u);
  auto options = c.options();
  options.send_buffer = 500'000;
  c.user_options(options);
  c.notified(notice::writable);
  EXPECT_EQ(write_all(c), 200'000u);
  c.run(0s), c.take_sent();
}

TEST(SendBuffer, Whose_limit_grows_tells_the_program_that_waits) {
  auto scene = growing();
  scene.check_text = false;
  Conversation c(scene);
  c.open_passive("win 1000 <mss 1460,nop,nop,sackOK,nop,wscale 7>");
  EXPECT_EQ(write_all(c), 48 * kib);
  c.run(0s), c.take_sent();
  // The limit is that of the congestion window now; acknowledged bytes open it and the queue.
  c.peer(". 1:1 ack 1001 win 1000");
  c.run(0s), c.take_sent();
  c.not_notified(notice::writable);
  std::uint32_t acked = 1001;
  for (int round = 0; round < 4; ++round) {
    acked += 1200 * (1u << round);
    c.peer(fmt::format(". 1:1 ack {} win 10000", acked));
    c.run(0s), c.take_sent();
  }
  c.notified(notice::writable);
}

// --- The receive window
// ------------------------------------------------------------------------------

// One byte more or less than a unit of the window field, small, and as large as they come.
TEST(Window, Of_a_program_that_does_not_read_never_passes_its_buffer_whatever_the_segments) {
  for (const std::uint32_t buffer : {100'000u, 300'000u, 1u << 20, 4u << 20})
    for (const std::uint32_t segment : {31u, 33u, 63u, 511u, 513u, 999u, 1447u}) {
      if (buffer / segment > 10'000) continue;  // It would only take longer.
      Scene scene{.tcp = {}, .check_text = false};
      scene.tcp.defaults.receive_buffer = buffer;
      scene.tcp.defaults.fixed_receive_buffer = true;
      Conversation c(scene);
      c.open_passive("win 65535 <mss 1460,nop,nop,sackOK,nop,wscale 7>");
      const std::uint32_t unit = 1u << c.status().receive_scale;
      std::uint32_t next = 1, told = 0;
      for (int refused = 0; refused < 50 && next < 3 * buffer && !c.failed(); ++refused) {
        c.peer(fmt::format(". {}:{} ack 1", next, next + segment));
        for (const auto& sent : c.take_sent()) {
          const auto edge = sent.ack + sent.window * unit;
          EXPECT_GE(edge + unit, told) << "the edge moved left by a unit or more";
          told = std::max(told, edge);
        }
        const auto arrived = std::uint32_t(c.status().octets_received) + 1;
        if (arrived > next) refused = -1;
        next = arrived;
      }
      EXPECT_LE(next - 1, buffer + unit) << segment << " bytes a segment";
      EXPECT_GE(next - 1, buffer - buffer / 32 - unit - segment);
      EXPECT_LE(told - 1, buffer + unit);
      c.run(1s), c.take_sent();
    }
}

TEST(Window, That_was_offered_is_taken) {
  Scene scene{.tcp = {}, .check_text = false};
  Conversation c(scene);
  c.open_passive("win 65535 <mss 1460,nop,nop,sackOK,TS 1 0,wscale 7>");
  const std::uint32_t unit = 1u << c.status().receive_scale;
  std::uint32_t next = 1, told = 65161;
  for (int i = 0; i < 200; ++i) {
    // Half of what is open, in odd pieces; the program does not read.
    const auto size = std::min(1447u, (told - next) / 2 + 1);
    if (told <= next) break;
    c.peer(fmt::format(". {}:{} ack 1 <nop,nop,TS 2 0>", next, next + size));
    next += size;
    ASSERT_EQ(c.status().octets_received, next - 1);
    for (const auto& sent : c.take_sent()) told = std::max(told, sent.ack + sent.window * unit);
  }
  c.peer(fmt::format(". {}:{} ack 1 <nop,nop,TS 2 0>", next, told));
  EXPECT_EQ(c.status().octets_received, told - 1) << "the last byte that was offered";
  c.run(1s), c.take_sent();
}

TEST(Window, Scale_is_that_of_the_largest_buffer_and_a_fixed_size_has_its_own) {
  for (const auto& [size, fixed, scale] : {std::tuple{1u << 20, false, 9},
                                           {1u << 20, true, 5},
                                           {100'000u, false, 1},
                                           {16u << 20, true, 9},
                                           {60'000u, true, 0},
                                           {128u << 10, false, 2}}) {
    Scene scene{.tcp = {}};
    scene.tcp.defaults.receive_buffer = size;
    scene.tcp.defaults.fixed_receive_buffer = fixed;
    Conversation c(scene);
    c.user_listen();
    c.peer(fmt::format("S 0:0 {}", all_options));
    const auto answer = c.take_sent();
    ASSERT_EQ(answer.size(), 1u);
    EXPECT_EQ(answer[0].options.back(), fmt::format("wscale {}", scale)) << size << fixed;
    c.peer("R 1:1");
    c.take_sent();
  }
}

// Each round trip brings as much as the window allows, and the program reads it at once.
TEST(ReceiveBuffer, Grows_with_what_the_program_reads_in_a_round_trip) {
  for (const bool stamped : {true, false}) {
    Scene scene{.tcp = {}, .check_text = false};
    Conversation c(scene);
    c.open_passive(stamped ? all_options : "win 65535 <mss 1460,nop,nop,sackOK,nop,wscale 7>");
    EXPECT_EQ(c.status().receive_limit, 128 * kib);
    std::uint32_t next = 1, clock = 0;
    std::vector<std::byte> sink(8 << 20);
    for (int round = 0; round < 12; ++round) {
      const std::uint32_t end = next + c.status().receive_window;
      while (next < end) {
        const auto size = std::min(1400u, end - next);
        const auto stamp = fmt::format(" <nop,nop,TS 2 {}>", clock);
        c.peer(fmt::format(". {}:{} ack 1{}", next, next + size, stamped ? stamp : ""));
        next += size;
        (void)c.stack().receive(c.line().id, sink, c.now());
        c.take_sent();
      }
      c.run(50ms);
      clock = std::uint32_t(c.elapsed() / 1ms);
      c.take_sent();
    }
    EXPECT_EQ(c.status().receive_limit, 1u << 20)
        << (stamped ? "with" : "without") << " timestamps";
  }
}

TEST(ReceiveBuffer, Stays_small_for_a_program_that_does_not_read_and_for_a_slow_peer) {
  for (const bool reads : {true, false}) {
    Scene scene{.tcp = {}, .check_text = false};
    Conversation c(scene);
    c.open_passive(all_options);
    std::vector<std::byte> sink(8 << 20);
    std::uint32_t next = 1;
    for (int i = 0; i < 400; ++i) {
      const auto clock = c.elapsed() / 1ms;
      c.run(50ms);
      c.take_sent();
      const auto size = std::min(1400u, c.status().receive_window);
      c.peer(fmt::format(". {}:{} ack 1 <nop,nop,TS 2 {}>", next, next + size, clock));
      next += size;
      if (reads) (void)c.stack().receive(c.line().id, sink, c.now());
    }
    c.run(1s), c.take_sent();
    EXPECT_EQ(c.status().receive_limit, 128 * kib);
  }
}

}  // namespace
}  // namespace estab::script
