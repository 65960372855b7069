// SPDX-License-Identifier: Apache-2.0
#include "estab/host/interface.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "in_namespace.hpp"

namespace estab::host {
namespace {

Prefix prefix(const char* text) { return Prefix::parse(text).value(); }

// The address from which the kernel would send to `remote`, or the error that it gives; no packet
// is sent.
std::string source_towards(const Address& remote) {
  sockaddr_storage storage{};
  socklen_t size = 0;
  if (remote.is_v4()) {
    sockaddr_in in{.sin_family = AF_INET, .sin_port = htons(9), .sin_addr = {}, .sin_zero = {}};
    std::memcpy(&in.sin_addr, remote.octets().data() + 12, 4);
    std::memcpy(&storage, &in, size = sizeof in);
  } else {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(9);
    std::memcpy(&in.sin6_addr, remote.octets().data(), 16);
    std::memcpy(&storage, &in, size = sizeof in);
  }
  auto* name = reinterpret_cast<sockaddr*>(&storage);
  const int fd = ::socket(name->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const bool routed = ::connect(fd, name, size) == 0;
  const std::string error = std::strerror(errno);
  ::getsockname(fd, name, &size);
  ::close(fd);
  if (!routed) return error;
  const auto* octets = reinterpret_cast<const std::byte*>(&storage) + (remote.is_v4() ? 4 : 8);
  return (remote.is_v4() ? Address::v4(octets) : Address::v6(octets)).to_string();
}

std::string source_towards(const char* remote) {
  return source_towards(Address::parse(remote).value());
}

// What the call throws, in words; empty where it throws nothing.
template <class F>
std::string refusal(F&& call) {
  try {
    call();
    return {};
  } catch (const std::system_error& error) { return error.what(); }
}

class Interface : public InNamespace {};

TEST_F(Interface, AnAddressIsUsableAtOnce) {
  add_address("lo", prefix("192.0.2.1/32"));
  add_address("lo", prefix("2001:db8::1/128"));
  EXPECT_EQ(source_towards("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(source_towards("2001:db8::1"), "2001:db8::1");
}

TEST_F(Interface, AnAddressGivenTwiceIsThere) {
  for (const auto* address : {"192.0.2.1/32", "2001:db8::1/128"}) {
    add_address("lo", prefix(address));
    EXPECT_EQ(refusal([&] { add_address("lo", prefix(address)); }), "") << address;
  }
  EXPECT_EQ(source_towards("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(source_towards("2001:db8::1"), "2001:db8::1");
}

TEST_F(Interface, ARouteLeadsToTheInterface) {
  EXPECT_EQ(source_towards("198.51.100.1"), "Network is unreachable");
  EXPECT_EQ(source_towards("2001:db8:2::1"), "Network is unreachable");
  add_address("lo", prefix("192.0.2.1/32"));
  add_address("lo", prefix("2001:db8::1/128"));
  add_route("lo", prefix("198.51.100.0/24"));
  add_route("lo", prefix("2001:db8:2::/48"));
  EXPECT_EQ(source_towards("198.51.100.1"), "192.0.2.1");
  EXPECT_EQ(source_towards("2001:db8:2::1"), "2001:db8::1");
}

TEST_F(Interface, ADefaultRouteGoesByAGateway) {
  add_address("lo", prefix("192.0.2.1/24"));
  const auto add_default = [](const Address& gateway) {
    return refusal([&] { add_route("lo", prefix("0.0.0.0/0"), gateway); });
  };
  EXPECT_NE(add_default(Address::v4(203, 0, 113, 1)), "");
  EXPECT_EQ(source_towards("203.0.113.9"), "Network is unreachable");
  add_route("lo", prefix("198.51.100.0/24"));  // The loopback has no on-link gateways but these.
  EXPECT_EQ(add_default(Address::v4(198, 51, 100, 1)), "");
  EXPECT_EQ(source_towards("203.0.113.9"), "192.0.2.1");
  EXPECT_EQ(add_default(Address::v4(198, 51, 100, 1)),
            "cannot route 0.0.0.0/0 to lo by way of 198.51.100.1; it is there already: "
            "File exists");
}

TEST_F(Interface, TheMtuIsSet) {
  set_mtu("lo", 1280);
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  ASSERT_EQ(::ioctl(fd, SIOCGIFMTU, &request), 0);
  ::close(fd);
  EXPECT_EQ(request.ifr_mtu, 1280);
}

TEST_F(Interface, WhatIsNotThereIsNamed) {
  EXPECT_TRUE(has_interface("lo"));
  EXPECT_FALSE(has_interface("estab9"));
  const std::string end =
      " estab9; there is no such interface (ip link lists them): No such device";
  EXPECT_EQ(refusal([] { bring_up("estab9"); }), "cannot bring up" + end);
  EXPECT_EQ(refusal([] { remove_interface("estab9"); }), "cannot remove" + end);
  EXPECT_NE(refusal([] { set_mtu("estab9", 1500); }), "");
  EXPECT_NE(refusal([] { add_route("estab9", prefix("198.51.100.0/24")); }), "");
  EXPECT_NE(refusal([] { add_address("estab9", prefix("198.51.100.1/24")); }), "");
}

}  // namespace
}  // namespace estab::host
