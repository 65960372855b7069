// SPDX-License-Identifier: Apache-2.0
#include "estab/host/sockets.hpp"

#include "estab/host/interface.hpp"
#include "in_namespace.hpp"
#include "kernel_sockets.hpp"

namespace estab::host {
namespace {

using enum State;

// The end whose remote port is `port`: the client's, seen from a server on `port`.
KernelSocket client_of(Port port, State state) {
  return the_one([=](const auto& s) { return s.flow.remote.port == port && s.state == state; });
}
KernelSocket server_on(Port port, State state) {
  return the_one([=](const auto& s) { return s.flow.local.port == port && s.state == state; });
}

struct KernelSockets : InNamespace, testing::WithParamInterface<const char*> {
  Endpoint at{Address::parse(GetParam()).value(), Port{7777}};
};

INSTANTIATE_TEST_SUITE_P(BothFamilies, KernelSockets, testing::Values("127.0.0.1", "::1"),
                         [](const auto& test) {
                           return std::string(test.param[0] == ':' ? "IPv6" : "IPv4");
                         });

TEST_P(KernelSockets, AFreshNamespaceHasNone) { EXPECT_TRUE(kernel_tcp_sockets().empty()); }

TEST_P(KernelSockets, AListenerShowsItsQueueAndBacklog) {
  const auto listener = listen_on(at, 5);
  auto shown = server_on(at.port, State::listen);
  EXPECT_EQ(shown.flow, (Flow{at, {shown.flow.remote.address, Port{0}}}));
  EXPECT_TRUE(shown.flow.remote.address.is_unspecified());
  EXPECT_EQ(shown.receive_queue, 0u);
  EXPECT_EQ(shown.send_queue, 5u);
  EXPECT_EQ(shown.uid, ::geteuid());
  EXPECT_NE(shown.inode, 0u);
  const auto client = connect_to(at);
  const auto one_waits = [](const auto& s) {
    return s.state == State::listen && s.receive_queue == 1;
  };
  EXPECT_EQ(the_one(one_waits).flow.local, at);
}

TEST_P(KernelSockets, AConnectionShowsBothItsEnds) {
  const auto listener = listen_on(at, 5);
  const auto client = connect_to(at);
  ASSERT_EQ(::send(client.fd(), "hello", 5, MSG_NOSIGNAL), 5);
  const auto near = client_of(at.port, established);
  EXPECT_EQ(near.flow.local.address, at.address);
  EXPECT_EQ(near.flow.remote, at);
  const auto far = the_one([&](const auto& s) { return s.flow == near.flow.reversed(); });
  EXPECT_EQ(far.state, established);
  EXPECT_EQ(far.receive_queue, 5u);
  EXPECT_EQ(far.inode, 0u);  // Nobody has accepted it.
  const Socket accepted(::accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC));
  EXPECT_NE(the_one([&](const auto& s) { return s.flow == near.flow.reversed(); }).inode, 0u);
}

TEST_P(KernelSockets, AnIPv6SocketIsToldFromAnIPv4One) {
  const auto listener = listen_on(at, 5);
  EXPECT_EQ(server_on(at.port, State::listen).ipv6, !at.address.is_v4());
}

TEST_P(KernelSockets, TheStatesOfACloseAreSeen) {
  auto listener = listen_on(at, 5);
  auto client = connect_to(at);
  Socket accepted(::accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC));
  ASSERT_EQ(::shutdown(client.fd(), SHUT_WR), 0);
  client_of(at.port, fin_wait_2);
  server_on(at.port, close_wait);
  EXPECT_EQ(kernel_tcp_sockets(fin_wait_2 | close_wait).size(), 2u);
  EXPECT_EQ(kernel_tcp_sockets(close_wait).size(), 1u);
  accepted.close();
  client.close();
  const auto waiting = client_of(at.port, time_wait);
  EXPECT_EQ(waiting.timer, KernelTimer::time_wait);
  EXPECT_GT(waiting.timer_left, 0s);
  EXPECT_LE(waiting.timer_left, 60s);
}

TEST_P(KernelSockets, AnUnansweredSynIsSeenWithItsTimer) {
  // What the loopback brings back for an address that is not ours is dropped.
  const bool v4 = at.address.is_v4();
  add_address("lo", Prefix::parse(v4 ? "192.0.2.1/32" : "2001:db8::1/128").value());
  add_route("lo", Prefix::parse(v4 ? "198.51.100.0/24" : "2001:db8:2::/48").value());
  const Endpoint nobody{Address::parse(v4 ? "198.51.100.7" : "2001:db8:2::7").value(), Port{9}};
  const Socket client(v4, SOCK_NONBLOCK);
  const Name name(nobody);
  ASSERT_EQ(::connect(client.fd(), name.get(), name.size), -1);
  ASSERT_EQ(errno, EINPROGRESS);
  const auto shown = client_of(nobody.port, syn_sent);
  EXPECT_EQ(shown.flow.remote, nobody);
  EXPECT_EQ(shown.timer, KernelTimer::retransmission);
  EXPECT_GT(shown.timer_left, 0s);
  EXPECT_LE(shown.timer_left, 4s);
}

class DualStack : public InNamespace {
 protected:
  const Endpoint any{Address{}, Port{7777}};
};

TEST_F(DualStack, AnIPv4ClientOfAnIPv6ListenerHasItsAddress) {
  const auto listener = listen_on(any, 5);
  EXPECT_FALSE(server_on(any.port, State::listen).ipv6_only);
  const auto client = connect_to({Address::v4(127, 0, 0, 1), any.port});
  const auto far = server_on(any.port, established);
  EXPECT_TRUE(far.ipv6);
  EXPECT_EQ(far.flow.remote.address, Address::v4(127, 0, 0, 1));
}

TEST_F(DualStack, AListenerForIPv6AloneSaysSo) {
  const Socket listener(false);
  const int on = 1;
  ASSERT_EQ(::setsockopt(listener.fd(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on), 0);
  const Name name(any);
  ASSERT_EQ(::bind(listener.fd(), name.get(), name.size), 0);
  ASSERT_EQ(::listen(listener.fd(), 5), 0);
  EXPECT_TRUE(server_on(any.port, State::listen).ipv6_only);
}

TEST(KernelTimerName, EveryTimerHasOne) {
  EXPECT_EQ(name(KernelTimer::none), "none");
  EXPECT_EQ(name(KernelTimer::retransmission), "retransmission");
  EXPECT_EQ(name(KernelTimer::keep_alive), "keep-alive");
  EXPECT_EQ(name(KernelTimer::time_wait), "time-wait");
  EXPECT_EQ(name(KernelTimer::probe), "probe");
}

}  // namespace
}  // namespace estab::host
