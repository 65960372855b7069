// SPDX-License-Identifier: Apache-2.0
// Crowds that would hold a server's memory for ever: those who never read, who vanish, who shut
// their window and answer probes. Newcomers are served all the while. ESTAB_LONG=1: crowds of the
// size that a server of 1 GiB must bear.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string_view>

#include "crowd.hpp"

namespace estab::test {
namespace {

bool is_long() {
  const char* setting = std::getenv("ESTAB_LONG");
  return setting != nullptr && std::string_view(setting) == "1";
}

// A tenth of the crowd in a tenth of the memory, so that each test takes a second or two.
std::size_t crowd(std::size_t whole) { return is_long() ? whole : whole / 10; }
StackConfig memory(std::uint64_t limit) {
  StackConfig config;
  config.tcp.memory_limit = is_long() ? limit : limit / 10;
  return config;
}
constexpr std::uint64_t mib = 1 << 20;

// Windows from tiny to scaled.
Habits never_reads(std::size_t n) {
  switch (n % 3) {
    case 0:  return {.window = 2000};
    case 1:  return {.window = 65535};
    default: return {.window = 1 << 20, .scale = 7};
  }
}

TEST(Hostage, A_crowd_that_never_reads_holds_little_and_newcomers_are_served) {
  Crowd server(memory(1024 * mib));
  for (std::size_t n = 0; n < crowd(3000); ++n) {
    server.join(never_reads(n), unsigned(n / 100));
    if (n % 10 == 9) server.run(10ms);
  }
  server.newcomers(100ms, 20'000);
  server.run(50s);
  EXPECT_EQ(server.count_ended(), 0u) << "ended before its write timeout";
  EXPECT_LE(server.stack().memory(), crowd(3000) * 60 * 1024);
  server.run(30s);
  EXPECT_EQ(server.count(Reason::memory_reclaimed), 0u);
  EXPECT_LE(server.longest_wait(), 500ms);
  EXPECT_LE(server.stack().memory(), 4 * mib) << "the write timeouts have freed it";
}

TEST(Hostage, In_little_memory_those_without_progress_are_ended_and_slow_readers_are_not) {
  Crowd server(memory(128 * mib), 600s);
  std::vector<std::size_t> readers, others;
  for (std::size_t n = 0; n < 30; ++n)
    readers.push_back(server.join({.window = 65535, .read_rate = 1024}, unsigned(500 + n % 3)));
  server.run(20s);
  for (std::size_t n = 0; n < crowd(3000); ++n) {
    server.join(never_reads(n), unsigned(n / 100));
    if (n % 2 == 1) server.run(10ms);
  }
  // Slow readers that come with the crowd, from its networks.
  for (std::size_t n = 0; n < 10; ++n)
    readers.push_back(server.join({.window = 16000, .read_rate = 1024}, unsigned(n)));
  server.newcomers(100ms, 20'000);
  server.run(55s);
  EXPECT_GE(server.count(Reason::memory_reclaimed), crowd(200));
  EXPECT_EQ(server.count_ended(), server.count(Reason::memory_reclaimed));
  for (const auto reader : readers) EXPECT_FALSE(server.peer(reader).ended);
  // One that comes when the crowd has just taken all waits for its SYN to be sent again.
  EXPECT_LE(server.longest_wait(), 1200ms);
  EXPECT_LE(server.most_memory(), (is_long() ? 132 : 13.2) * mib);
}

TEST(Hostage, A_crowd_that_vanishes_after_its_request_is_gone_within_two_minutes) {
  Crowd server(memory(1024 * mib));
  for (std::size_t n = 0; n < crowd(16'000); ++n) {
    server.join({.ask = 64 << 10, .vanishes = true, .server_closes = n % 2 == 0},
                unsigned(n / 100));
    if (n % 20 == 19) server.run(10ms);
  }
  server.newcomers(100ms, 20'000);
  server.run(60s);
  EXPECT_LE(server.longest_wait(), 500ms);
  server.run(120s);
  EXPECT_LE(server.longest_wait(), 500ms);
  EXPECT_LE(server.stack().memory(), 4 * mib);
}

TEST(Hostage, Orphans_whose_peers_shut_their_windows_and_answer_probes_end_within_seven_minutes) {
  Crowd server(memory(1024 * mib));
  for (std::size_t n = 0; n < crowd(5000); ++n) {
    server.join(
        {.ask = 40'000, .window = 8000, .answers_probes = n % 4 != 0, .server_closes = true},
        unsigned(n / 100));
    if (n % 10 == 9) server.run(10ms);
  }
  server.run(1s);
  EXPECT_GE(server.stack().finishing(), crowd(4000));
  server.newcomers(1s, 20'000);
  server.run(419s);
  EXPECT_LE(server.stack().finishing(), 65u) << "newcomers wait for the peer's FIN, for 60 s";
  EXPECT_GE(server.count(Reason::orphan_timeout), crowd(3000));
  EXPECT_LE(server.longest_wait(), 500ms);
}

// All memory is held by peers that stopped a moment ago: newcomers wait for a second, not for ever.
TEST(Hostage, Newcomers_are_taken_again_as_soon_as_there_is_room) {
  auto config = memory(64 * mib);
  Crowd server(config, 600s);
  for (std::size_t n = 0; n < crowd(4000); ++n) {
    server.join({.window = 65535}, unsigned(n % 7));
    if (n % 50 == 49) server.run(10ms);
  }
  server.newcomers(100ms, 20'000);
  server.run(30s);
  EXPECT_GT(server.count(Reason::memory_reclaimed), 0u);
  EXPECT_LE(server.longest_wait(), 3500ms);
}

// The network that holds most loses its own, whoever has waited longest.
TEST(Hostage, A_network_loses_none_for_another_that_holds_more) {
  auto config = memory(64 * mib);
  Crowd server(config, 600s);
  std::vector<std::size_t> honest;
  for (std::size_t n = 0; n < 5; ++n) honest.push_back(server.join({.window = 65535}, 300));
  server.run(500ms);
  for (std::size_t n = 0; n < crowd(2000); ++n) {
    server.join({.window = 65535}, 7);
    if (n % 10 == 9) server.run(10ms);
  }
  server.run(40s);
  EXPECT_GT(server.count(Reason::memory_reclaimed), crowd(300));
  for (const auto peer : honest) EXPECT_FALSE(server.peer(peer).ended);
}

}  // namespace
}  // namespace estab::test
