// SPDX-License-Identifier: Apache-2.0
#include "estab/host/counters.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace estab::host {
namespace {

using Counters = std::vector<KernelCounter>;

constexpr auto netstat =
    "TcpExt: SyncookiesSent ListenOverflows ListenDrops\n"
    "TcpExt: 0 18446744073709551615 7\n"
    "IpExt: InOctets\n"
    "IpExt: 12\n";

TEST(ParseNetstat, PairsNamesWithNumbers) {
  EXPECT_EQ(parse_netstat(netstat, "TcpExt"),
            (Counters{{"SyncookiesSent", 0}, {"ListenOverflows", ~0ull}, {"ListenDrops", 7}}));
  EXPECT_EQ(parse_netstat(netstat, "IpExt"), (Counters{{"InOctets", 12}}));
}

TEST(ParseNetstat, LeavesOutWhatIsNotThereOrMalformed) {
  EXPECT_EQ(parse_netstat(netstat, "Tcp"), Counters{});
  EXPECT_EQ(parse_netstat("", "TcpExt"), Counters{});
  EXPECT_EQ(parse_netstat("TcpExt: A B", "TcpExt"), Counters{});
  EXPECT_EQ(parse_netstat("TcpExt: A B C D\nTcpExt: 1 -2 x", "TcpExt"), (Counters{{"A", 1}}));
}

TEST(KernelCounters, HasThoseOfListeners) {
  const auto counters = kernel_tcp_counters();
  for (const auto* name : {"ListenOverflows", "ListenDrops", "TCPTimeouts"})
    EXPECT_NE(std::ranges::find(counters, name, &KernelCounter::name), counters.end()) << name;
}

TEST(SynLimits, ThreeQuartersOfTheBacklogWithoutCookies) {
  const SynLimits off{.max_backlog = 128, .cookies = 0}, on{.max_backlog = 128, .cookies = 1};
  EXPECT_EQ(off.half_open_limit(4096), 97u);
  EXPECT_EQ(off.half_open_limit(5), 5u);
  EXPECT_EQ(on.half_open_limit(4096), 4096u);
}

}  // namespace
}  // namespace estab::host
