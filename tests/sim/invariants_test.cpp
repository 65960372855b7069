// SPDX-License-Identifier: Apache-2.0
// The checks that all harnesses share see what they look for.
#include "estab/sim/invariants.hpp"

#include <gtest/gtest.h>

namespace estab::sim {
namespace {

const Flow flow{{Address::v4(10, 0, 0, 1), Port{80}}, {Address::v4(10, 0, 0, 2), Port{40000}}};

// A datagram with so many bytes of text, from us or to us.
std::vector<std::byte> datagram(bool ours, const wire::TcpHeader& header, std::uint32_t text = 0) {
  auto tcp = header;
  const auto& from = ours ? flow.local : flow.remote;
  const auto& to = ours ? flow.remote : flow.local;
  tcp.source = from.port;
  tcp.destination = to.port;
  const auto ip = wire::ip_header_size(from.address), size = wire::tcp_size(tcp);
  std::vector<std::byte> all(ip + size + text);
  wire::emit_ip({.source = from.address,
                 .destination = to.address,
                 .protocol = wire::Protocol::tcp,
                 .header_length = std::uint16_t(ip),
                 .total_length = std::uint32_t(all.size())},
                all);
  wire::emit_tcp(tcp, MutableBytes{all}.subspan(ip));
  return all;
}

Packet packet_of(PacketPool& pool, const std::vector<std::byte>& bytes) {
  Packet packet = pool.allocate(bytes.size());
  std::ranges::copy(bytes, packet.linear().begin());
  return packet;
}

TEST(Invariants, A_datagram_above_the_MTU_of_its_interface_or_path_is_seen) {
  PacketPool pool;
  auto bytes = datagram(true, {.flags = {.ack = true}}, 1460);
  EXPECT_EQ(check_datagram(packet_of(pool, bytes), 1500), "");
  EXPECT_NE(check_datagram(packet_of(pool, bytes), 1499), "");
  EXPECT_NE(check_datagram(packet_of(pool, bytes), 1500, 1400), "");
  // Of a super-segment, each segment counts.
  bytes = datagram(true, {.flags = {.ack = true}}, 14600);
  auto large = packet_of(pool, bytes);
  large.offload().segment_size = 1460;
  EXPECT_EQ(check_datagram(large, 1500), "");
  large.offload().segment_size = 1461;
  EXPECT_NE(check_datagram(large, 1500), "");
  wire::TcpHeader with_sack{.flags = {.ack = true}};
  with_sack.options.sack_count = 1;
  large = packet_of(pool, datagram(true, with_sack, 14600));
  large.offload().segment_size = 1460;
  EXPECT_NE(check_datagram(large, 1500), "") << "options count as well";
}

TEST(Invariants, To_a_path_below_552_go_only_datagrams_of_552_that_routers_may_cut) {
  PacketPool pool;
  auto bytes = datagram(true, {.flags = {.ack = true}}, 552 - 40);
  bytes[6] &= ~std::byte{0x40};
  EXPECT_EQ(check_datagram(packet_of(pool, bytes), 1500, 400), "");
  EXPECT_NE(check_datagram(packet_of(pool, bytes), 500, 400), "") << "the interface takes 500";
  bytes[6] |= std::byte{0x40};
  EXPECT_NE(check_datagram(packet_of(pool, bytes), 1500, 400), "");
  bytes = datagram(true, {.flags = {.ack = true}}, 553 - 40);
  bytes[6] &= ~std::byte{0x40};
  EXPECT_NE(check_datagram(packet_of(pool, bytes), 1500, 400), "");
}

TEST(Invariants, Numbers_of_a_connection_that_disagree_are_seen) {
  ConnectionInfo info;
  info.state = State::established;
  info.cwnd = info.send_mss = 1460;
  EXPECT_EQ(check_connection(info), "");
  info.cwnd = 1459;
  EXPECT_NE(check_connection(info), "");
  info.cwnd = 1460;
  info.send_queue = 99, info.flight = 101;
  EXPECT_NE(check_connection(info), "");

  struct : ConnectionInfo {
    std::uint32_t pipe = 0, sacked = 0, lost = 0;
  } parts;
  parts.state = State::established;
  parts.send_queue = parts.flight = 60;
  parts.pipe = 10, parts.sacked = 20, parts.lost = 30;
  EXPECT_EQ(check_connection(parts), "");
  parts.lost = 29;
  EXPECT_NE(check_connection(parts), "");
}

TEST(Invariants, Who_has_something_to_send_or_to_wait_for_needs_a_deadline) {
  ConnectionInfo info;
  info.state = State::established;
  EXPECT_FALSE(needs_a_deadline(info));
  info.send_queue = 1;
  EXPECT_TRUE(needs_a_deadline(info));
  info.send_queue = 0;
  for (const auto state : {State::syn_sent, State::fin_wait_1, State::closing, State::last_ack}) {
    info.state = state;
    EXPECT_TRUE(needs_a_deadline(info)) << name(state);
  }
  info.state = State::fin_wait_2;
  EXPECT_FALSE(needs_a_deadline(info)) << "the program may wait for ever";
  info.orphan = true;
  EXPECT_TRUE(needs_a_deadline(info));
}

class Offered : public testing::Test {
 protected:
  // A handshake: we offer `window` at number 1000, scaled by 2 from then on.
  Offered() {
    wire::TcpHeader syn{.seq = Seq(999), .flags = {.syn = true}};
    syn.options.window_scale = 7;
    come(syn);
    wire::TcpHeader syn_ack{
        .seq = Seq(1), .ack = Seq(1000), .flags = {.syn = true, .ack = true}, .window = 4000};
    syn_ack.options.window_scale = 2;
    EXPECT_EQ(leave(syn_ack), "");
    come({.seq = Seq(1000), .ack = Seq(2), .flags = {.ack = true}});
  }
  std::string leave(const wire::TcpHeader& header) {
    return look(EventKind::sent, datagram(true, header), Reason::none);
  }
  void come(const wire::TcpHeader& header, std::uint32_t text = 0) {
    EXPECT_EQ(look(EventKind::received, datagram(false, header, text), Reason::none), "");
  }
  std::string drop(const wire::TcpHeader& header, std::uint32_t text, Reason reason) {
    return look(EventKind::dropped, datagram(false, header, text), reason);
  }
  std::string look(EventKind kind, const std::vector<std::byte>& bytes, Reason reason) {
    return windows.look_at(
        {.kind = kind, .reason = reason, .flow = flow, .length = std::uint32_t(bytes.size())},
        bytes);
  }
  static wire::TcpHeader ack(std::uint32_t number, std::uint16_t window) {
    return {.seq = Seq(2), .ack = Seq(number), .flags = {.ack = true}, .window = window};
  }
  static wire::TcpHeader text_at(std::uint32_t number) {
    return {.seq = Seq(number), .ack = Seq(2), .flags = {.ack = true}};
  }

  OfferedWindows windows;
};

TEST_F(Offered, A_right_edge_that_moves_left_is_seen) {
  EXPECT_EQ(leave(ack(1000, 1000)), "") << "scaled by 2, it is the same edge";
  EXPECT_EQ(leave(ack(1000, 1001)), "");
  EXPECT_EQ(leave(ack(1004, 1000)), "");
  EXPECT_NE(leave(ack(1004, 999)), "");
  EXPECT_EQ(leave(ack(1003, 1000)), "") << "the field counts units of 4";
  EXPECT_NE(leave(ack(1000, 1000)), "");
}

TEST_F(Offered, After_the_peers_FIN_the_window_says_nothing) {
  come({.seq = Seq(1000), .ack = Seq(2), .flags = {.fin = true, .ack = true}});
  EXPECT_EQ(leave(ack(1001, 0)), "");
}

TEST_F(Offered, Text_within_the_window_that_is_refused_is_seen) {
  EXPECT_NE(drop(text_at(1000), 4000, Reason::out_of_window), "");
  EXPECT_EQ(drop(text_at(1000), 4001, Reason::out_of_window), "") << "past the edge";
  EXPECT_EQ(drop(text_at(999), 10, Reason::out_of_window), "") << "before what is next";
  EXPECT_EQ(drop(text_at(1000), 10, Reason::paws), "") << "another reason";
  come(text_at(1000), 100);
  EXPECT_EQ(drop(text_at(1000), 100, Reason::out_of_window), "") << "it was here before";
}

}  // namespace
}  // namespace estab::sim
