// SPDX-License-Identifier: Apache-2.0
#include "estab/wire/icmp.hpp"

#include "wire_samples.hpp"

namespace estab::wire {
namespace {

IpHeader header(bool v4) {
  return {.source = v4 ? v4_source : v6_source,
          .destination = v4 ? v4_destination : v6_destination,
          .protocol = v4 ? Protocol::icmp : Protocol::icmpv6};
}

Octets repaired(bool v4, Octets m) {
  store_be(&m[2], std::uint16_t{0});
  Checksum sum;
  if (!v4)
    sum = pseudo_header(v6_source, v6_destination, Protocol::icmpv6, std::uint32_t(m.size()));
  store_be(&m[2], sum.add(m).value());
  return m;
}

// The first octets of a segment of ours, as a router quotes them.
Octets quoted(bool v4) {
  Octets tcp;
  append(tcp, {0x9c, 0x40, 0x00, 0x50, 0x12, 0x34, 0x56, 0x78});
  return datagram(v4, Protocol::tcp, tcp);
}

Octets error(bool v4, int type, int code, std::uint32_t rest = 0) {
  Octets m;
  append(m, {type, code, 0, 0});
  m.resize(8);
  store_be(&m[4], rest);
  const auto quote = quoted(v4);
  m.insert(m.end(), quote.begin(), quote.end());
  return repaired(v4, m);
}

void expect_refused(bool v4, const Octets& m, Reason reason) {
  const auto result = parse_icmp(header(v4), m);
  ASSERT_FALSE(result);
  EXPECT_EQ(text(result.error()).name, text(reason).name);
}

TEST(Icmp, AnErrorTellsTheConnectionAndTheSequenceNumberThatItQuotes) {
  for (const bool v4 : {true, false}) {
    const auto m = parse_icmp(header(v4), error(v4, v4 ? 3 : 1, 0));
    ASSERT_TRUE(m);
    EXPECT_EQ(m->kind, IcmpKind::error);
    const auto ours = v4 ? v4_source : v6_source, theirs = v4 ? v4_destination : v6_destination;
    EXPECT_EQ(m->error.flow, (Flow{{ours, Port{40000}}, {theirs, Port{80}}}));
    EXPECT_EQ(m->error.seq, Seq{0x12345678});
  }
}

struct Row {
  bool v4;
  int type, code;
  IcmpMeaning meaning;
};

TEST(Icmp, Must54EachErrorMeansWhatRfc9293SaysInBothFamilies) {
  using enum IcmpMeaning;
  for (const auto& row : std::initializer_list<Row>{{true, 3, 0, soft},
                                                    {true, 3, 1, soft},
                                                    {true, 3, 2, hard},
                                                    {true, 3, 3, hard},
                                                    {true, 3, 4, packet_too_big},
                                                    {true, 3, 5, soft},
                                                    {true, 3, 13, hard},
                                                    {true, 4, 0, source_quench},
                                                    {true, 11, 0, soft},
                                                    {true, 11, 1, soft},
                                                    {true, 12, 0, soft},
                                                    {false, 1, 0, soft},
                                                    {false, 1, 1, hard},
                                                    {false, 1, 3, soft},
                                                    {false, 1, 4, hard},
                                                    {false, 3, 0, soft},
                                                    {false, 4, 0, soft},
                                                    {false, 2, 0, packet_too_big}}) {
    const auto m = parse_icmp(header(row.v4), error(row.v4, row.type, row.code));
    ASSERT_TRUE(m);
    ASSERT_EQ(m->kind, IcmpKind::error);
    EXPECT_EQ(m->error.meaning, row.meaning) << row.type << '/' << row.code;
    EXPECT_EQ(m->error.type, row.type);
    EXPECT_EQ(m->error.code, row.code);
  }
}

TEST(Icmp, PacketTooBigTellsTheMtuOfTheNextHop) {
  EXPECT_EQ(parse_icmp(header(true), error(true, 3, 4, 1400))->error.mtu, 1400u);
  EXPECT_EQ(parse_icmp(header(true), error(true, 3, 4, 0xffff0000))->error.mtu, 0u);
  EXPECT_EQ(parse_icmp(header(false), error(false, 2, 0, 70000))->error.mtu, 70000u);
}

TEST(Icmp, AnErrorAboutAnotherProtocolIsNotForTcp) {
  for (const bool v4 : {true, false}) {
    auto m = error(v4, v4 ? 3 : 1, 3);
    octet(m, 8 + (v4 ? 9u : 6u)) = 17;
    expect_refused(v4, repaired(v4, m), Reason::icmp_ignored);
  }
}

TEST(Icmp, AnErrorTruncatedAtAnyOctetIsMalformed) {
  for (const bool v4 : {true, false}) {
    const auto whole = error(v4, v4 ? 3 : 1, 0);
    for (std::size_t n = 4; n < whole.size(); ++n) {
      const auto part = repaired(v4, Octets(whole.begin(), whole.begin() + std::ptrdiff_t(n)));
      SCOPED_TRACE(n);
      expect_refused(v4, part, Reason::icmp_malformed);
    }
    for (std::size_t n = 0; n < 8; ++n) expect_refused(v4, Octets(n), Reason::icmp_malformed);
  }
}

TEST(Icmp, EveryBitFlipIsRefused) {
  for (const bool v4 : {true, false}) {
    const auto whole = error(v4, v4 ? 3 : 1, 0);
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
      auto m = whole;
      flip(m, bit);
      expect_refused(v4, m, Reason::icmp_malformed);
    }
  }
}

TEST(Icmp, AnEchoRequestIsAnsweredWithItsOwnOctets) {
  for (const bool v4 : {true, false}) {
    Octets m;
    append(m, {v4 ? 8 : 128, 0, 0, 0, 0x12, 0x34, 0x00, 0x07, 'e', 's', 't', 'a', 'b'});
    m = repaired(v4, m);
    const auto request = parse_icmp(header(v4), m);
    ASSERT_TRUE(request);
    EXPECT_EQ(request->kind, IcmpKind::echo_request);
    EXPECT_EQ(request->echo.identifier, 0x1234);
    EXPECT_EQ(request->echo.sequence, 7);
    auto reply = m;
    auto back = header(v4);
    std::swap(back.source, back.destination);
    make_echo_reply(back, reply);
    EXPECT_EQ(octet(reply, 0), v4 ? 0 : 129);
    EXPECT_TRUE(std::equal(m.begin() + 4, m.end(), reply.begin() + 4));
    const auto read = parse_icmp(back, reply);
    ASSERT_TRUE(read) << "the checksum of the reply is wrong";
    EXPECT_EQ(read->kind, IcmpKind::other);
  }
}

TEST(Icmp, WhatSaysNothingToTcpIsNeitherErrorNorEcho) {
  for (const auto& [v4, type] : {std::pair{true, 0},
                                 {true, 5},
                                 {true, 13},
                                 {false, 129},
                                 {false, 134},
                                 {false, 136},
                                 {false, 255}}) {
    const auto m = parse_icmp(header(v4), error(v4, type, 0));
    ASSERT_TRUE(m);
    EXPECT_EQ(m->kind, IcmpKind::other) << type;
  }
}

TEST(Icmp, RandomMessagesAreReadWithinTheirBounds) {
  Random random{1};
  int errors = 0;
  for (int i = 0; i < rounds(300000); ++i) {
    const bool v4 = random.chance(0.5);
    auto m = error(v4, v4 ? 3 : 1, 0);
    for (auto n = random.below(4); n > 0; --n)
      octet(m, random.below(random.chance(0.5) ? 20 : m.size())) = std::uint8_t(random());
    m.resize(std::max<std::size_t>(8, m.size() - random.below(random.chance(0.5) ? 1 : m.size())));
    const auto result = parse_icmp(header(v4), repaired(v4, m));
    errors += result && result->kind == IcmpKind::error;
  }
  EXPECT_GT(errors, rounds(10000));
}

}  // namespace
}  // namespace estab::wire
