// SPDX-License-Identifier: Apache-2.0
#include "estab/host/netlink.hpp"

#include <gtest/gtest.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>

#include <cerrno>
#include <vector>

namespace estab::host {
namespace {

// Plays the errors in a row and counts the calls.
struct Dump {
  std::vector<int> errors;
  std::size_t calls = 0;
  int operator()() { return errors[std::min(calls++, errors.size() - 1)]; }
};

TEST(AskUntilWhole, AsksAgainWhenTheDumpWasInterruptedOrOverran) {
  Dump dump{{EINTR, ENOBUFS, EINTR, 0}};
  EXPECT_EQ(ask_until_whole(std::ref(dump)), 0);
  EXPECT_EQ(dump.calls, 4u);
}

TEST(AskUntilWhole, LeavesOtherErrorsAsTheyAre) {
  Dump dump{{EINTR, EPERM, 0}};
  EXPECT_EQ(ask_until_whole(std::ref(dump)), EPERM);
  EXPECT_EQ(dump.calls, 2u);
}

TEST(AskUntilWhole, GivesUpInTheEnd) {
  Dump dump{{EINTR}};
  EXPECT_EQ(ask_until_whole(std::ref(dump)), EINTR);
  EXPECT_GT(dump.calls, 1u);
  EXPECT_LT(dump.calls, 100u);
}

// What a kernel without the module tcp_diag says of TCP, which must not look like "no sockets".
TEST(Netlink, ADumpThatFailsIsAnError) {
  alignas(nlmsghdr) NetlinkBuffer buffer{};
  auto* message = mnl_nlmsg_put_header(buffer.data());
  message->nlmsg_type = SOCK_DIAG_BY_FAMILY;
  auto* request =
      static_cast<inet_diag_req_v2*>(mnl_nlmsg_put_extra_header(message, sizeof(inet_diag_req_v2)));
  request->sdiag_family = AF_INET;
  request->sdiag_protocol = IPPROTO_EGP;  // Nobody lists its sockets.
  request->idiag_states = ~0u;
  EXPECT_EQ(Netlink(NETLINK_SOCK_DIAG).ask(message, NLM_F_DUMP), ENOENT);
}

}  // namespace
}  // namespace estab::host
