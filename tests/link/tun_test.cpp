// SPDX-License-Identifier: Apache-2.0
// The kernel is the peer: what it answers proves what it was sent. Everything happens in a network
// namespace of the test's own; the fixture skips, with the reason, where that may not be.
#include "estab/link/tun.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <system_error>

#include "estab/host/interface.hpp"
#include "estab/host/namespace.hpp"
#include "segments.hpp"

namespace estab::link {
namespace {

template <class F>
std::string refusal(F&& call) {
  try {
    call();
    return {};
  } catch (const std::system_error& error) { return error.what(); }
}

class Tun : public testing::Test {
 protected:
  void SetUp() override {
    try {
      namespace_.emplace();
    } catch (const std::system_error& error) { GTEST_SKIP() << error.what(); }
    if (const auto usable = tun_usable(); !usable) GTEST_SKIP() << usable.error();
  }

  void open(const TunOptions& options = {.name = "estab0", .mtu = 1500}) {
    device_ = tun(options);
    const auto& name = device_->info().name;
    host::bring_up(name);
    host::add_address(name, Prefix::parse("10.77.0.1/24").value());
    host::add_address(name, Prefix::parse("2001:db8::1/64").value());
  }
  void send(Packet packet) {
    device_->transmit(pool_, std::move(packet), Instant{});
    device_->flush();
  }
  // The next packet from the kernel that `wanted` picks; others (router solicitations …) pass.
  template <class F>
  Packet receive(F&& wanted) {
    for (int tries = 0; tries < 100; ++tries) {
      Packet packet;
      if (device_->receive(pool_, {&packet, 1}, Instant{}) == 0) {
        pollfd waiting{.fd = device_->descriptor(), .events = POLLIN, .revents = 0};
        ::poll(&waiting, 1, 100);
      } else if (wanted(packet.linear())) {
        return packet;
      }
    }
    ADD_FAILURE() << "the kernel does not answer";
    return {};
  }

  PacketPool pool_;
  std::unique_ptr<Device> device_;

 private:
  std::optional<host::NetworkNamespace> namespace_;
};

// An echo request from our side of the link to the kernel's (RFC 792, RFC 4443 §4.1).
Contents echo_request(bool v4, std::size_t octets) {
  Segment ends = v4 ? Segment{} : v6(Segment{});
  ends.ip.protocol = v4 ? wire::Protocol::icmp : wire::Protocol::icmpv6;
  const auto header = wire::ip_header_size(ends.ip.source);
  ends.ip.header_length = std::uint16_t(header);
  ends.ip.total_length = std::uint32_t(header + 8 + octets);
  auto packet = random_octets(ends.ip.total_length);
  wire::emit_ip(ends.ip, packet);
  const auto message = MutableBytes{packet}.subspan(header);
  message[0] = std::byte(v4 ? 8 : 128), message[1] = std::byte{0};
  store_be<std::uint16_t>(&message[2], 0);
  auto sum = v4 ? Checksum{}
                : wire::pseudo_header(ends.ip.source, ends.ip.destination, ends.ip.protocol,
                                      std::uint32_t(message.size()));
  store_be(&message[2], sum.add(message).value());
  return packet;
}

TEST_F(Tun, TheKernelAnswersAPing) {
  open();
  for (const bool v4 : {true, false}) {
    const std::size_t header = v4 ? 20 : 40;
    const std::byte reply{std::uint8_t(v4 ? 0 : 129)};
    for (const std::size_t octets : {std::size_t{0}, std::size_t{56}, 1500 - header - 8}) {
      SCOPED_TRACE(std::string(v4 ? "IPv4, " : "IPv6, ") + std::to_string(octets) + " octets");
      const auto request = echo_request(v4, octets);
      send(plain(pool_, request));
      const auto answer = receive([&](Bytes packet) {
        return packet.size() == request.size() && packet[0] == request[0] &&
               packet[header] == reply;
      });
      ASSERT_TRUE(answer);
      // Identifier, sequence number and data come back as they were.
      const auto sent = Bytes{request}.subspan(header + 4);
      EXPECT_TRUE(std::ranges::equal(answer.linear().subspan(header + 4), sent));
    }
  }
}

TEST_F(Tun, ManyPacketsAreReadInOneBatch) {
  open();
  for (int i = 0; i < 10; ++i) send(plain(pool_, echo_request(true, 100)));
  std::array<Packet, 4> batch;
  EXPECT_EQ(device_->receive(pool_, batch, Instant{}), 4u);
}

// As many as arrive while another program has the processor.
TEST_F(Tun, ABurstOfThousandsOfPacketsWaitsInTheKernel) {
  open();
  const int sender = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = 9;
  const auto there = Address::v4(10, 77, 0, 2).octets();
  std::memcpy(&to.sin_addr, &there[12], 4);
  constexpr int burst = 8000;
  for (int i = 0; i < burst; ++i)
    ASSERT_EQ(::sendto(sender, "x", 1, 0, reinterpret_cast<sockaddr*>(&to), sizeof to), 1);
  ::close(sender);
  std::array<Packet, 256> batch;
  int arrived = 0;
  while (const auto count = device_->receive(pool_, batch, Instant{}))
    for (auto& packet : std::span{batch}.first(count)) {
      arrived += packet.size() == 29 ? 1 : 0;
      packet = Packet{};
    }
  EXPECT_EQ(arrived, burst);
}

TEST_F(Tun, ADeviceThatWasThereKeepsItsQueue) {
  ASSERT_EQ(std::system("ip tuntap add dev made mode tun && ip link set made txqueuelen 77"), 0);
  open({.name = "made"});
  EXPECT_EQ(std::system("ip link show made | grep -q 'qlen 77'"), 0);
}

TEST_F(Tun, WithoutOffloadASuperSegmentReachesTheKernelAsItsSegments) {
  open({.name = "estab0", .mtu = 1500, .offload = false});
  EXPECT_FALSE(device_->info().transmit_checksum);
  const int raw = ::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
  ASSERT_GE(raw, 0);
  Segment segment;
  segment.tcp.flags.psh = true;
  segment.text = random_octets(14'000);
  send(owing(pool_, segment, 1460, 1300));  // Slices that end elsewhere than the segments.
  for (const auto& expected : cut_simply(segment, 1460)) {
    Contents got(2000);
    pollfd waiting{.fd = raw, .events = POLLIN, .revents = 0};
    ::poll(&waiting, 1, 5000);
    const auto size = ::recv(raw, got.data(), got.size(), 0);
    got.resize(std::size_t(std::max<ssize_t>(size, 0)));
    EXPECT_EQ(got, expected);
  }
  ::close(raw);
  EXPECT_TRUE(device_->ready());
  EXPECT_EQ(device_->dropped(), 0u);
}

TEST_F(Tun, ASuperSegmentReachesTheKernelWhole) {
  open();
  const int raw = ::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
  ASSERT_GE(raw, 0);
  Segment segment;
  segment.tcp.flags.psh = true;
  segment.text = random_octets(14'000);
  send(owing(pool_, segment, 1460, 1300));
  Contents got(20'000);
  pollfd waiting{.fd = raw, .events = POLLIN, .revents = 0};
  ::poll(&waiting, 1, 5000);
  const auto size = ::recv(raw, got.data(), got.size(), 0);
  ::close(raw);
  ASSERT_EQ(size, 14'000 + 40);
  got.resize(std::size_t(size));
  EXPECT_TRUE(std::ranges::equal(Bytes{got}.subspan(40), segment.text));
  EXPECT_EQ(device_->dropped(), 0u);
}

TEST_F(Tun, TheNameAndTheMtuAreAsAsked) {
  open({.name = "bench%d", .mtu = 9000});
  EXPECT_EQ(device_->info().name, "bench0");
  EXPECT_EQ(device_->info().mtu, 9000u);
  send(plain(pool_, echo_request(true, 9000 - 28)));
  EXPECT_TRUE(receive([](Bytes packet) { return packet.size() == 9000; }));
}

TEST_F(Tun, WithoutANameTheKernelChooses) {
  open({});
  EXPECT_EQ(device_->info().name, "tun0");
  EXPECT_TRUE(host::has_interface("tun0"));
}

TEST_F(Tun, TheDeviceGoesAwayWithItsOwner) {
  open();
  EXPECT_TRUE(host::has_interface("estab0"));
  device_.reset();
  EXPECT_FALSE(host::has_interface("estab0"));
}

TEST_F(Tun, ProbingLeavesNoDeviceBehind) {
  EXPECT_TRUE(tun_usable());
  EXPECT_FALSE(host::has_interface("tun0"));
}

TEST_F(Tun, WhatADownInterfaceWillNotTakeIsCounted) {
  device_ = tun({.name = "estab0"});  // Not brought up.
  send(plain(pool_, echo_request(true, 10)));
  EXPECT_EQ(device_->dropped(), 1u);
  EXPECT_TRUE(device_->ready());
}

TEST_F(Tun, ADeletedDeviceEndsWithAnError) {
  open();
  host::remove_interface("estab0");
  Packet packet;
  EXPECT_EQ(refusal([&] { device_->receive(pool_, {&packet, 1}, Instant{}); }),
            "cannot read from estab0; the device is gone: File descriptor in bad state");
  EXPECT_EQ(refusal([&] { send(plain(pool_, echo_request(true, 10))); }),
            "cannot write to estab0; the device is gone: File descriptor in bad state");
}

TEST_F(Tun, ANameThatIsTakenOrWrongIsRefusedWithWhatToDo) {
  open();
  EXPECT_EQ(refusal([] { (void)tun({.name = "estab0"}); }),
            "cannot open the TUN device estab0; another program has it: choose another name or end "
            "that program: Device or resource busy");
  EXPECT_TRUE(refusal([] { (void)tun({.name = "lo"}); })
                  .starts_with("cannot open the TUN device lo; a device of that name that is no "
                               "plain TUN device exists"));
  EXPECT_EQ(refusal([] { (void)tun({.name = "much-too-long-a-name"}); }),
            "cannot open the TUN device much-too-long-a-name; choose a name of at most 15 octets: "
            "File name too long");
  EXPECT_EQ(refusal([] { (void)tun({.name = "estab1", .mtu = 10}); }),
            "cannot set the MTU of estab1 to 10; choose 68 to 65535: Invalid argument");
  EXPECT_FALSE(host::has_interface("estab1"));
}

}  // namespace
}  // namespace estab::link
