// SPDX-License-Identifier: Apache-2.0
// The kernel's half-open records, made by SYNs whose senders are not there.
#include <algorithm>
#include <fstream>

#include "estab/host/counters.hpp"
#include "estab/host/interface.hpp"
#include "forged_syn.hpp"
#include "in_namespace.hpp"
#include "kernel_sockets.hpp"

namespace estab::host {
namespace {

using enum State;

Prefix prefix(const char* text) { return Prefix::parse(text).value(); }

// The loopback brings back our answers to the senders, and nobody takes them.
class HalfOpen : public InNamespace, public testing::WithParamInterface<bool> {
 protected:
  const bool v4 = GetParam();
  const Endpoint at{prefix(v4 ? "192.0.2.1/32" : "2001:db8::1/128").address, Port{80}};
  const Address nobody = *Address::parse(v4 ? "198.51.100.7" : "2001:db8:2::7");

  void SetUp() override {
    InNamespace::SetUp();
    if (IsSkipped()) return;
    add_address("lo", {at.address, std::uint8_t(v4 ? 32 : 128)});
    add_route("lo", prefix(v4 ? "198.51.100.0/24" : "2001:db8:2::/48"));
  }
  void flood(std::uint16_t count) {
    RawSender sender(v4);
    for (std::uint16_t i = 0; i < count; ++i)
      sender.send(forged_syn({nobody, Port(10'000 + i)}, at), at.address);
  }
  static std::size_t half_open() { return kernel_tcp_sockets(syn_received).size(); }
};

INSTANTIATE_TEST_SUITE_P(BothFamilies, HalfOpen, testing::Bool(),
                         [](const auto& test) { return test.param ? "IPv4" : "IPv6"; });

bool set_sysctl(const char* name, int value) {
  std::ofstream file(std::string("/proc/sys/net/ipv4/") + name);
  return bool(file << value << std::flush);
}

std::uint64_t counter(std::string_view name) {
  const auto counters = kernel_tcp_counters();
  const auto at = std::ranges::find(counters, name, &KernelCounter::name);
  EXPECT_NE(at, counters.end()) << name;
  return at == counters.end() ? 0 : at->count;
}

TEST_P(HalfOpen, ARecordShowsItsTimerAndItsAge) {
  const auto listener = listen_on(at, 64);
  flood(1);
  const auto young = the_one([](const auto& s) { return s.state == syn_received; });
  EXPECT_EQ(young.flow, (Flow{at, {nobody, Port{10'000}}}));
  EXPECT_EQ(young.inode, 0u);
  EXPECT_EQ(young.ipv6, !v4);
  EXPECT_EQ(young.timer, KernelTimer::retransmission);
  EXPECT_LE(young.timer_left, 1s);
  EXPECT_TRUE(estimated_age(young));
  const auto older =
      the_one([](const auto& s) { return s.state == syn_received && s.retransmissions > 0; });
  EXPECT_EQ(older.flow, young.flow);
  EXPECT_GE(estimated_age(older), 1s);
  EXPECT_FALSE(estimated_age(the_one([](const auto& s) { return s.state == listen; })));
}

TEST_P(HalfOpen, WhatAFullQueueRefusesIsCountedAtItsListener) {
  if (!set_sysctl("tcp_syncookies", 0)) GTEST_SKIP() << "no sysctl may be set here";
  const auto listener = listen_on(at, 4);
  const auto drops_before = counter("ListenDrops");
  flood(20);
  const auto taken = half_open();
  const auto limit = kernel_syn_limits().half_open_limit(4);
  EXPECT_EQ(limit, 4u);
  EXPECT_TRUE(taken == limit || taken == limit + 1) << taken;  // By the kernel's version.
  EXPECT_EQ(the_one([](const auto& s) { return s.state == listen; }).drops, 20 - taken);
  EXPECT_EQ(counter("ListenDrops") - drops_before, 20 - taken);
}

TEST_P(HalfOpen, TheLimitWithoutCookiesIsWhereTheKernelStops) {
  if (!set_sysctl("tcp_syncookies", 0) || !set_sysctl("tcp_max_syn_backlog", 64))
    GTEST_SKIP() << "no sysctl may be set here";
  const auto listener = listen_on(at, 1000);
  flood(200);
  EXPECT_EQ(half_open(), kernel_syn_limits().half_open_limit(1000));
}

TEST_P(HalfOpen, ThousandsAreListedWhole) {
  const auto listener = listen_on(at, 4096);
  flood(3000);
  auto found = kernel_tcp_sockets(syn_received);
  std::ranges::sort(found, {}, [](const auto& s) { return s.flow.remote.port; });
  ASSERT_EQ(found.size(), 3000u);
  for (std::size_t i = 0; i < found.size(); ++i)
    ASSERT_EQ(number(found[i].flow.remote.port), 10'000 + i);
}

KernelSocket record(int retransmissions, Duration left) {
  return {.state = syn_received,
          .timer = KernelTimer::retransmission,
          .timer_left = left,
          .retransmissions = std::uint8_t(retransmissions)};
}

TEST(EstimatedAge, IsWhatTheWaitsAddUpTo) {
  EXPECT_EQ(estimated_age(record(0, 1s)), 0s);
  EXPECT_EQ(estimated_age(record(0, 300ms)), 700ms);
  EXPECT_EQ(estimated_age(record(1, 2s)), 1s);
  EXPECT_EQ(estimated_age(record(1, 0s)), 3s);
  EXPECT_EQ(estimated_age(record(2, 4s)), 3s);
  EXPECT_EQ(estimated_age(record(5, 32s)), 31s);
  EXPECT_EQ(estimated_age(record(5, 0s)), 63s);
  EXPECT_EQ(estimated_age(record(7, 120s)), 127s);  // No wait is longer.
  EXPECT_EQ(estimated_age(record(8, 120s)), 247s);
  EXPECT_EQ(estimated_age(record(255, 0s)), 127s + 249 * 120s);
}

TEST(EstimatedAge, ALongWaitTellsOfRetransmissionsThatWereNotMade) {
  EXPECT_EQ(estimated_age(record(0, 3s)), 4s);
  EXPECT_EQ(estimated_age(record(1, 16s)), 15s);
}

TEST(EstimatedAge, IsNeverNegative) { EXPECT_EQ(estimated_age(record(0, 1010ms)), 0s); }

TEST(EstimatedAge, IsOfHalfOpenRecordsAlone) {
  auto socket = record(1, 1s);
  socket.state = established;
  EXPECT_EQ(estimated_age(socket), std::nullopt);
  socket.state = syn_received, socket.timer = KernelTimer::none;
  EXPECT_EQ(estimated_age(socket), std::nullopt);
}

}  // namespace
}  // namespace estab::host
