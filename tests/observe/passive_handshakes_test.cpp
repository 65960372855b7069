// SPDX-License-Identifier: Apache-2.0
#include "estab/observe/passive_handshakes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "estab/observe/passive_watch.hpp"

namespace estab::observe {
namespace {

using enum HandshakeStep;

const Endpoint server{Address::v4(192, 0, 2, 80), Port{80}};
const Endpoint client{Address::v4(198, 51, 100, 7), Port{40'000}};
const Endpoint server6{*Address::parse("2001:db8::80"), Port{80}};
const Endpoint client6{*Address::parse("2001:db8:1::7"), Port{40'000}};

// A datagram of a segment, with right checksums.
std::vector<std::byte> datagram(const Endpoint& from, const Endpoint& to, wire::Flags flags,
                                std::uint32_t seq, std::uint32_t ack, std::size_t text = 0) {
  wire::TcpHeader tcp{.source = from.port, .destination = to.port};
  tcp.seq = Seq(seq), tcp.ack = Seq(ack), tcp.flags = flags, tcp.window = 1000;
  if (flags.syn) tcp.options.mss = 1460;
  const auto ip_size = wire::ip_header_size(from.address), tcp_size = wire::tcp_size(tcp);
  std::vector<std::byte> out(ip_size + tcp_size + text, std::byte{'x'});
  const auto segment = MutableBytes{out}.subspan(ip_size);
  wire::emit_tcp(tcp, segment);
  wire::emit_ip({.source = from.address,
                 .destination = to.address,
                 .protocol = wire::Protocol::tcp,
                 .header_length = std::uint16_t(ip_size),
                 .total_length = std::uint32_t(out.size())},
                out);
  auto sum = wire::pseudo_header(from.address, to.address, wire::Protocol::tcp,
                                 std::uint32_t(segment.size()));
  store_be(&segment[wire::tcp_checksum_offset], sum.add(segment).value());
  return out;
}

constexpr wire::Flags the_syn{.syn = true}, the_ack{.ack = true},
    the_syn_ack{.syn = true, .ack = true}, the_rst{.rst = true};

class Passing : public testing::Test {
 protected:
  void pass(const std::vector<std::byte>& packet, std::size_t kept = 1000) {
    seen.packet(now, Bytes{packet}.first(std::min(kept, packet.size())), packet.size());
    now += 1ms;
  }
  std::string told() {
    std::string text;
    for (const auto& o : steps) {
      EXPECT_EQ(o.flow.local, expected);
      text += (text.empty() ? "" : ", ") + std::string(to_string(o.step));
    }
    steps.clear();
    return text;
  }
  [[nodiscard]] std::uint64_t over(PassedOver why) const {
    return seen.counts().passed_over[std::size_t(why)];
  }
  void syn(std::uint32_t isn = 100) { pass(datagram(client, server, the_syn, isn, 0)); }
  void syn_ack(std::uint32_t isn = 900, std::uint32_t ack = 101) {
    pass(datagram(server, client, the_syn_ack, isn, ack));
  }
  void ack(std::uint32_t number = 901, std::size_t text = 0) {
    pass(datagram(client, server, the_ack, 101, number, text));
  }

  Instant now{1000s};
  Endpoint expected = server;
  std::vector<HandshakeObservation> steps;
  PassiveHandshakes seen{{1, 2}, [this](const HandshakeObservation& o) { steps.push_back(o); }};
};

TEST_F(Passing, AHandshakeIsToldStepByStep) {
  syn(), syn_ack(), ack(), ack(901, 10);
  ack(950, 10);
  EXPECT_EQ(told(), "syn, syn-ack, completed, client-data");
  EXPECT_TRUE(seen.both_directions());
  EXPECT_EQ(seen.counts().packets, 5u);
}

TEST_F(Passing, OfIpv6AsWell) {
  expected = server6;
  pass(datagram(client6, server6, the_syn, 100, 0));
  pass(datagram(server6, client6, the_syn_ack, 900, 101));
  pass(datagram(client6, server6, the_ack, 101, 901));
  EXPECT_EQ(told(), "syn, syn-ack, completed");
}

TEST_F(Passing, AnAckThatDoesNotAnswerTheServersSynProvesNothing) {
  syn(), syn_ack(), ack(902);
  EXPECT_EQ(told(), "syn, syn-ack");
  ack(901, 5);
  EXPECT_EQ(told(), "completed, client-data");
}

TEST_F(Passing, ASynAckThatAnswersNoSynIsNone) {
  syn(), syn_ack(900, 500);
  EXPECT_EQ(told(), "syn");
  EXPECT_FALSE(seen.both_directions());
}

TEST_F(Passing, WithoutSynAcksAnAckIsTakenForWhatItSeems) {
  syn(), ack(777);
  EXPECT_EQ(told(), "syn, completed");
  pass(datagram(client, server, the_syn, 5000, 0));
  pass(datagram(client, server, the_ack, 5002, 1));
  EXPECT_EQ(told(), "syn") << "it does not follow the SYN";
}

TEST_F(Passing, AResetOfTheClientsEndsIt) {
  syn(), syn_ack();
  pass(datagram(client, server, the_rst, 55, 0));
  EXPECT_EQ(told(), "syn, syn-ack") << "it is not in sequence";
  pass(datagram(client, server, the_rst, 101, 0));
  ack();
  EXPECT_EQ(told(), "client-reset");
}

TEST_F(Passing, ASynIsRepeatedOrACopyByItsTime) {
  syn(), syn();
  EXPECT_EQ(told(), "syn");
  EXPECT_EQ(seen.counts().copies, 1u);
  now += 1s;
  syn(), syn_ack(), syn_ack();
  EXPECT_EQ(told(), "syn, syn-ack, syn-ack");
}

TEST_F(Passing, ASynOfAnotherNumberIsAnotherConnections) {
  syn(), syn_ack(), ack(901, 1);
  syn(7000), syn_ack(900, 7001);
  EXPECT_EQ(told(), "syn, syn-ack, completed, client-data, syn, syn-ack");
}

TEST_F(Passing, HeadersAloneAreEnough) {
  for (const std::size_t kept : {40u, 44u}) {
    steps.clear();
    const auto number = std::uint32_t(1000 * kept);
    pass(datagram(client, server, the_syn, number, 0), kept);
    pass(datagram(server, client, the_syn_ack, 900, number + 1), kept);
    pass(datagram(client, server, the_ack, number + 1, 901, 300), kept);
    EXPECT_EQ(told(), "syn, syn-ack, completed, client-data");
  }
  EXPECT_EQ(passed_over_in_words(seen.counts()), "");
}

TEST_F(Passing, ChecksumsThatTheCardWasToFinishAreNotJudged) {
  auto packet = datagram(client, server, the_syn, 100, 0);
  const auto segment = MutableBytes{packet}.subspan(20);
  store_be(&segment[wire::tcp_checksum_offset],
           wire::pseudo_header(client.address, server.address, wire::Protocol::tcp,
                               std::uint32_t(segment.size()))
               .sum());
  store_be(&packet[10], std::uint16_t{0});
  pass(packet);
  EXPECT_EQ(told(), "syn");
  EXPECT_EQ(passed_over_in_words(seen.counts()), "");
}

TEST_F(Passing, WhatTellsNothingIsCountedByItsReason) {
  auto wrong = datagram(client, server, the_syn, 100, 0);
  wrong[25] ^= std::byte{1};
  pass(wrong);
  EXPECT_EQ(over(PassedOver::tcp_checksum), 1u);
  auto header = datagram(client, server, the_syn, 100, 0);
  header[8] ^= std::byte{1};
  pass(header);
  EXPECT_EQ(over(PassedOver::ip_checksum), 1u);
  auto fragment = datagram(client, server, the_syn, 100, 0);
  fragment[6] = std::byte{0x20};
  store_be(&fragment[10], std::uint16_t{0});
  pass(fragment);
  EXPECT_EQ(over(PassedOver::fragment), 1u);
  auto udp = datagram(client, server, the_syn, 100, 0);
  udp[9] = std::byte{17};
  store_be(&udp[10], std::uint16_t{0});
  pass(udp);
  EXPECT_EQ(over(PassedOver::not_tcp), 1u);
  pass(datagram(client, server, the_syn, 100, 0), 30);
  pass(datagram(client, server, the_syn, 100, 0), 10);
  EXPECT_EQ(over(PassedOver::cut_short), 2u);
  seen.pass_over(PassedOver::not_ip);
  EXPECT_EQ(told(), "");
  EXPECT_EQ(seen.counts().packets, 7u);
  EXPECT_EQ(passed_over_in_words(seen.counts()),
            "1 no IP, 1 no TCP, 2 cut short within the headers, 1 fragments, 1 wrong in the IP "
            "checksum, 1 wrong in the TCP checksum");
}

TEST(PassiveHandshakes, InAFloodTheOldestGivesWay) {
  std::size_t syns = 0;
  PassiveHandshakes seen({1, 2}, [&](const HandshakeObservation&) { ++syns; }, {.flows = 64});
  for (std::uint32_t i = 0; i < 1000; ++i) {
    const auto packet = datagram({Address::v4(0x0a000000 + i), Port{1}}, server, the_syn, i, 0);
    seen.packet(Instant{1000s} + 1ms * i, packet, packet.size());
  }
  EXPECT_EQ(syns, 1000u);
  EXPECT_GE(seen.counts().forgotten, 1000u - 64);
  EXPECT_LT(seen.counts().forgotten, 1000u);
}

// A server, people who come, and a flood; the packets of both ways, or of one.
class PassiveWatched : public testing::Test {
 protected:
  void pass(const Endpoint& from, const Endpoint& to, wire::Flags flags, std::uint32_t seq,
            std::uint32_t ack, std::size_t text = 0) {
    if (one_way && from == server) return;
    const auto packet = datagram(from, to, flags, seq, ack, text);
    watch.packet(now, packet, packet.size());
  }
  void second(unsigned visits, unsigned forgeries) {
    for (unsigned i = 0; i < visits + forgeries; ++i, ++number) {
      now += Duration{1s} / (visits + forgeries);
      const bool visit = i < visits;
      const Endpoint from{Address::v4((visit ? 0x0b000000 : 0x20000000) + number * 7919 % 0xffffff),
                          Port{4000}};
      pass(from, server, the_syn, number, 0);
      pass(server, from, the_syn_ack, 900, number + 1);
      if (visit) pass(from, server, the_ack, number + 1, 901, 5);
    }
  }
  [[nodiscard]] Verdict worst() const {
    Verdict worst{};
    for (const auto& r : reports) worst = std::max(worst, r.verdict);
    return worst;
  }

  Instant now{1000s};
  std::uint32_t number = 1;
  bool one_way = false;
  std::vector<FloodReport> reports;
  PassiveWatch watch{{1, 2}, [this](const FloodReport& r) { reports.push_back(r); }};
};

TEST_F(PassiveWatched, AFloodIsNamedAndACrowdIsNot) {
  for (int i = 0; i < 20; ++i) second(20, 0);
  for (int i = 0; i < 15; ++i) second(600, 0);
  EXPECT_EQ(worst(), Verdict::quiet);
  for (int i = 0; i < 10; ++i) second(20, 300);
  EXPECT_EQ(worst(), Verdict::spoofed_flood);
  EXPECT_TRUE(reports.back().evidence.source.proven);
  EXPECT_TRUE(watch.notes().empty());
  ASSERT_EQ(watch.pictures().size(), 1u);
  EXPECT_EQ(watch.pictures()[0].listener, server);
}

TEST_F(PassiveWatched, TheWayToTheServerAloneIsEnoughAndThatIsSaid) {
  one_way = true;
  for (int i = 0; i < 20; ++i) second(20, 0);
  EXPECT_EQ(worst(), Verdict::quiet);
  for (int i = 0; i < 10; ++i) second(20, 300);
  EXPECT_EQ(worst(), Verdict::spoofed_flood);
  EXPECT_FALSE(reports.back().evidence.source.proven);
  EXPECT_NE(reports.back().in_words().find("not proven"), std::string::npos);
  ASSERT_EQ(watch.notes().size(), 1u);
  EXPECT_TRUE(watch.notes()[0].starts_with("SYNs came by and no SYN-ACK"));
}

TEST_F(PassiveWatched, TheSamePacketsSayTheSame) {
  std::vector<std::string> words[2];
  for (auto& w : words) {
    PassiveWatch again{{3, 4}, [&](const FloodReport& r) { w.push_back(r.in_words()); }};
    for (std::uint32_t i = 0; i < 5000; ++i) {
      const auto packet =
          datagram({Address::v4(0x20000000 + i * 7919), Port{9}}, server, the_syn, i, 0);
      again.packet(Instant{1000s} + 3ms * i, packet, packet.size());
    }
  }
  EXPECT_FALSE(words[0].empty());
  EXPECT_EQ(words[0], words[1]);
}

}  // namespace
}  // namespace estab::observe
