// SPDX-License-Identifier: Apache-2.0
// Interfaces of every MTU and every size of super-segments: they carry data in datagrams that fit,
// or the calls say that the family is not there.
#include <gtest/gtest.h>

#include <array>

#include "estab/stack/stack.hpp"

namespace estab {
namespace {

constexpr std::uint32_t huge = ~0u;

struct Sizes {
  std::uint32_t mtu = 1500, largest_segment = 0;
};

// One end: what it sends is the other's to take.
class End final : public PacketSink {
 public:
  End(PacketPool& pool, const Sizes& sizes, std::uint8_t last) : stack(pool, {}, {}) {
    const Address v6 = Address::v6({0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last});
    stack.add_interface({.addresses = {{Address::v4(10, 0, 0, last), 24}, {v6, 64}},
                         .mtu = sizes.mtu,
                         .largest_segment = sizes.largest_segment});
    addresses = {Address::v4(10, 0, 0, last), v6};
  }
  [[nodiscard]] bool ready(std::uint8_t) override { return true; }
  void transmit(Packet packet) override {
    largest = std::max<std::uint32_t>(largest, std::uint32_t(packet.size()));
    // As a device that takes super-segments would: the checksum is its work.
    if (packet.offload().checksum == Offload::Checksum::owed)
      packet.offload().checksum = Offload::Checksum::verified;
    out.push_back(std::move(packet));
  }
  void deliver_to(End& other, Instant now) {
    stack.poll_transmit(*this, now);
    auto packets = std::exchange(out, {});
    other.stack.receive(packets, now);
  }
  Stack stack;
  std::array<Address, 2> addresses;
  std::vector<Packet> out;
  std::uint32_t largest = 0;
};

// What a call was refused with.
template <class T>
Error refusal(const std::expected<T, Error>& result) {
  return result ? Error::none : result.error();
}

// Octets of so many that arrive within ten seconds.
std::size_t carried(End& a, End& b, bool v6, std::size_t octets) {
  Instant now{1000s};
  const auto listener = b.stack.listen({{}, Port{80}}, {}, now);
  const auto id =
      a.stack.connect({.remote = {b.addresses[v6], Port{80}}, .local = {}, .options = {}}, now);
  if (!listener || !id) return 0;
  std::optional<ConnectionId> accepted;
  std::vector<std::byte> text(octets);
  std::size_t sent = 0, arrived = 0;
  for (const Instant end = now + 10s; now < end && arrived < octets; now += 1ms) {
    a.deliver_to(b, now);
    if (!accepted)
      if (const auto got = b.stack.accept(*listener)) accepted = *got;
    if (const auto taken = a.stack.send(*id, Bytes{text}.subspan(sent), {}, now)) sent += *taken;
    if (accepted)
      while (const auto got = b.stack.receive(*accepted, text, now)) arrived += *got;
    b.deliver_to(a, now);
  }
  return arrived;
}

TEST(InterfaceLimits, An_interface_of_any_MTU_carries_data_in_datagrams_that_fit) {
  PacketPool pool;
  for (const bool v6 : {false, true})
    for (const std::uint32_t mtu : {88u, 100u, 103u, 575u, 576u, 1279u, 1280u, 1500u, 9000u, 65534u,
                                    65535u, 65536u, 100'000u, huge}) {
      if (v6 && mtu < 1280) continue;
      End a{pool, {mtu}, 1}, b{pool, {mtu}, 2};
      EXPECT_EQ(carried(a, b, v6, 300'000), 300'000u) << mtu << (v6 ? " IPv6" : "");
      EXPECT_LE(a.largest, std::min(mtu, 65535u)) << mtu;
      EXPECT_LE(b.largest, std::min(mtu, 65535u)) << mtu;
      EXPECT_GE(a.largest, std::min(mtu, 9000u) - 4) << mtu << ": no needlessly small ones";
    }
}

TEST(InterfaceLimits, Super_segments_of_any_size_that_is_set_carry_data) {
  PacketPool pool;
  for (const bool v6 : {false, true})
    for (const std::uint32_t mtu : {88u, 1500u, 65535u, 65536u})
      for (const std::uint32_t largest :
           {0u, 1u, 89u, 100u, 101u, 160u, 1499u, 1500u, 1501u, 1700u, 65535u, 65536u, huge}) {
        if (v6 && mtu < 1280) continue;
        End a{pool, {mtu, largest}, 1}, b{pool, {mtu, largest}, 2};
        EXPECT_EQ(carried(a, b, v6, 200'000), 200'000u) << mtu << ' ' << largest;
        EXPECT_LE(a.largest, std::min(std::max(mtu, largest), 65535u)) << mtu << ' ' << largest;
      }
}

TEST(InterfaceLimits, On_an_MTU_too_small_for_a_family_the_calls_say_that_it_is_not_there) {
  PacketPool pool;
  for (const auto& [mtu, v6] : {std::pair{0u, false},
                                {40u, false},
                                {87u, false},
                                {0u, true},
                                {575u, true},
                                {1279u, true}}) {
    End a{pool, {mtu}, 1}, b{pool, {1500}, 2};
    const Address ours = a.addresses[v6], theirs = b.addresses[v6];
    const Instant now{1000s};
    EXPECT_EQ(refusal(a.stack.listen({ours, Port{80}}, {}, now)), Error::address_not_available);
    const ConnectOptions to{.remote = {theirs, Port{80}}, .local = {}, .options = {}};
    EXPECT_EQ(refusal(a.stack.connect(to, now)), Error::no_route) << mtu;
    a.stack.add_route({{theirs, 0}, 0});  // Not by a route either.
    EXPECT_EQ(refusal(a.stack.connect(to, now)), Error::no_route) << mtu;
    EXPECT_EQ(carried(b, a, v6, 1000), 0u) << mtu;
    EXPECT_EQ(a.largest, 0u) << "nothing leaves";
    EXPECT_GT(a.stack.log().counters()[Reason::ip_not_for_us], 0u);
  }
}

}  // namespace
}  // namespace estab
