// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/ss_kernel.hpp"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace estab::cli {
namespace {

using host::KernelSocket, host::KernelTimer;
using enum State;

Endpoint end(const char* address, std::uint16_t port) {
  return {*Address::parse(address), Port{port}};
}

KernelSocket listener(const char* address, std::uint16_t port) {
  const auto local = end(address, port);
  return {.flow = {local, {local.address.is_v4() ? Address::v4(0, 0, 0, 0) : Address{}, Port{}}},
          .state = listen,
          .receive_queue = 1,
          .send_queue = 128,
          .uid = 1000,
          .inode = 77,
          .drops = 3,
          .ipv6 = !local.address.is_v4()};
}
KernelSocket half_open(Endpoint local, Endpoint remote, bool ipv6, Duration left) {
  return {.flow = {local, remote},
          .state = syn_received,
          .timer = KernelTimer::retransmission,
          .timer_left = left,
          .retransmissions = 2,
          .ipv6 = ipv6};
}

// As read_kernel() sorts them.
KernelView view() {
  return {.sockets = {listener("0.0.0.0", 80), listener("192.0.2.1", 80), listener("::", 80),
                      half_open(end("192.0.2.1", 80), end("10.0.0.1", 1), false, 3s),
                      half_open(end("192.0.2.1", 80), end("10.0.0.2", 2), false, 1500ms),
                      half_open(end("192.0.2.9", 80), end("10.0.0.3", 3), false, 4s),
                      half_open(end("192.0.2.1", 80), end("10.0.0.4", 4), true, 4s),
                      half_open(end("192.0.2.1", 81), end("10.0.0.5", 5), false, 4s),
                      KernelSocket{.flow = {end("192.0.2.1", 80), end("10.0.0.1", 9)},
                                   .state = time_wait,
                                   .timer = KernelTimer::time_wait,
                                   .timer_left = 59s}},
          .counters = {{"ListenOverflows", 4}, {"ListenDrops", 9}, {"SyncookiesSent", 2}},
          .limits = {.max_backlog = 2048, .cookies = 1}};
}

TEST(ListenersOf, AHalfOpenRecordIsTheNearestListeners) {
  const auto listeners = listeners_of(view());
  ASSERT_EQ(listeners.size(), 3u);
  const auto& [any, here, both] = std::tie(listeners[0], listeners[1], listeners[2]);
  EXPECT_EQ(any.half_open, 1u);   // To another address of this machine.
  EXPECT_EQ(here.half_open, 2u);  // To the listener's own.
  EXPECT_EQ(here.oldest_half_open, 5500ms);
  EXPECT_EQ(both.half_open, 1u);  // An IPv6 listener's, though from an IPv4 address.
  EXPECT_EQ(here.accept_queue, 1u);
  EXPECT_EQ(here.accept_limit, 128u);
  EXPECT_EQ(here.half_open_limit, 128u);
  EXPECT_EQ(here.drops, 3u);
}

TEST(ListenersOf, SocketsThatShareAPortAreAddedUp) {
  KernelView shared{.sockets = {listener("0.0.0.0", 80), listener("0.0.0.0", 80)},
                    .limits = {.max_backlog = 64, .cookies = 0}};
  const auto listeners = listeners_of(shared);
  ASSERT_EQ(listeners.size(), 1u);
  EXPECT_EQ(listeners[0].accept_limit, 256u);
  EXPECT_EQ(listeners[0].half_open_limit, 98u);
  EXPECT_EQ(listeners[0].drops, 6u);
  EXPECT_EQ(ss_listener_line(listeners[0], 0),
            "0.0.0.0:80 (2 sockets)  accept 2/256, half-open 0/98, dropped 6");
}

TEST(SsKernel, LaysOutWhatThereIsAsSsDoes) {
  EXPECT_EQ(ss_kernel_table(view(), {}),
            "State     Recv-Q Send-Q    Local Address:Port   Peer Address:Port Process\n"
            "LISTEN    1      128               0.0.0.0:80           0.0.0.0:*\n"
            "LISTEN    1      128             192.0.2.1:80           0.0.0.0:*\n"
            "LISTEN    1      128                     *:80                 *:*\n"
            "SYN-RECV  0      0               192.0.2.1:80          10.0.0.1:1\n"
            "SYN-RECV  0      0               192.0.2.1:80          10.0.0.2:2\n"
            "SYN-RECV  0      0               192.0.2.9:80          10.0.0.3:3\n"
            "SYN-RECV  0      0      [::ffff:192.0.2.1]:80 [::ffff:10.0.0.4]:4\n"
            "SYN-RECV  0      0               192.0.2.1:81          10.0.0.5:5\n"
            "TIME-WAIT 0      0               192.0.2.1:80          10.0.0.1:9\n");
}

TEST(SsKernel, MarksTheAgeAsAnEstimate) {
  const SsChoice choice{
      .filter = {.remote_ports = {Port{1}, Port{9}}}, .timers = true, .header = false};
  EXPECT_EQ(ss_kernel_table(view(), choice),
            "SYN-RECV  0      0            192.0.2.1:80        10.0.0.1:1 "
            "timer:(on,3.0sec,2) age:~4.0s\n"
            "TIME-WAIT 0      0            192.0.2.1:80        10.0.0.1:9 "
            "timer:(timewait,59.0sec,0)\n");
}

TEST(SsKernel, NamesWhoHoldsASocket) {
  auto seen = view();
  seen.owners.emplace();
  seen.owners->by_inode[77] = {{"master", 8, 3}, {"worker", 70, 4}};
  const SsChoice choice{.filter = {.states = {"LISTEN"}}, .header = false};
  EXPECT_NE(ss_kernel_table(seen, choice)
                .find(" users:((\"master\",pid=8,fd=3),(\"worker\",pid=70,fd=4))\n"),
            std::string::npos)
      << ss_kernel_table(seen, choice);
}

TEST(SsKernel, AnIPv6ListenerOfItsOwnIsToldFromOneForBoth) {
  auto alone = listener("::", 80);
  alone.ipv6_only = true;
  EXPECT_NE(ss_kernel_table({.sockets = {alone}}, {.header = false}).find("[::]:80"),
            std::string::npos);
}

TEST(SsKernel, ClosesWithALineAListener) {
  EXPECT_EQ(ss_kernel_closing(view(), {}),
            "\n"
            "0.0.0.0:80    accept 1/128, half-open 1/128 (oldest ~3.0 s), dropped 3; "
            "half-open from 1 source in 1 prefix\n"
            "192.0.2.1:80  accept 1/128, half-open 2/128 (oldest ~5.5 s), dropped 3; "
            "half-open from 2 sources in 1 prefix\n"
            "*:80          accept 1/128, half-open 1/128 (oldest ~3.0 s), dropped 3; "
            "half-open from 1 source in 1 prefix\n"
            "All           ListenOverflows 4, ListenDrops 9, SyncookiesSent 2\n");
  EXPECT_EQ(ss_kernel_closing(view(), {.ports = {Port{81}}}),
            "\nAll  ListenOverflows 4, ListenDrops 9, SyncookiesSent 2\n");
}

TEST(SsKernel, TellsTheCountersInWords) {
  const auto text = ss_kernel_table(view(), {.counters = true});
  EXPECT_NE(text.find("         9  ListenDrops          A SYN or a final ACK was dropped"),
            std::string::npos)
      << text;
}

TEST(SsKernel, ItsDocumentHasTheSameInTheShapeOfARunningEstabs) {
  const auto document = ss_kernel_json(view(), {});
  EXPECT_EQ(document.at("kernel").at("syncookies"), 1);
  ASSERT_EQ(document.at("listeners").as_array().size(), 3u);
  const auto& here = document.at("listeners").at(1);
  EXPECT_EQ(here.at("half_open"), 2);
  EXPECT_EQ(here.at("estimated_oldest_half_open_ms"), 5500);
  EXPECT_EQ(here.at("drops"), 3);
  EXPECT_EQ(here.at("sockets").at(0).at("inode"), 77);
  EXPECT_EQ(here.at("sockets").at(0).at("uid"), 1000);
  ASSERT_EQ(document.at("half_open").as_array().size(), 5u);
  const auto& record = document.at("half_open").at(0);
  EXPECT_EQ(boost::json::serialize(record.at("remote")), R"({"address":"10.0.0.1","port":1})");
  EXPECT_EQ(record.at("estimated_age_ms"), 4000);
  EXPECT_EQ(record.at("retransmissions"), 2);
  EXPECT_EQ(document.at("time_wait").at(0).at("left_ms"), 59000);
  EXPECT_TRUE(document.at("connections").as_array().empty());
  const auto filtered = ss_kernel_json(view(), {.states = {"SYN-RECV"}});
  EXPECT_TRUE(filtered.at("listeners").as_array().empty());
  EXPECT_EQ(filtered.at("half_open").as_array().size(), 5u);
}

}  // namespace
}  // namespace estab::cli
