// SPDX-License-Identifier: Apache-2.0
// Events by hand: two ends, A and B, and what each says it saw.
#pragma once
#include <string_view>

#include "estab/event/event.hpp"
#include "estab/wire/ip.hpp"
#include "estab/wire/tcp.hpp"

namespace estab::test {

inline const Endpoint end_a{Address::v4(10, 77, 0, 2), Port{40000}};
inline const Endpoint end_b{Address::v4(10, 77, 0, 1), Port{7}};
inline const Flow from_a{end_a, end_b};
inline const Flow from_b = from_a.reversed();

// J is 1000, K is 5000: numbers are given as offsets from them.
inline constexpr std::uint32_t j = 1000, k = 5000;

struct Wire {
  bool by_a = true;
  wire::TcpHeader tcp;
  std::uint32_t text = 0;
};

// "SA" is SYN and ACK; seq and ack count from the initial numbers.
inline Wire segment(bool by_a, std::string_view flags, std::uint32_t seq, std::uint32_t ack,
                    std::uint32_t text = 0) {
  Wire w{.by_a = by_a, .tcp = {}, .text = text};
  const auto has = [&](char c) { return flags.find(c) != flags.npos; };
  w.tcp.flags = {.fin = has('F'),
                 .syn = has('S'),
                 .rst = has('R'),
                 .psh = has('P'),
                 .ack = has('A'),
                 .urg = has('U')};
  w.tcp.source = (by_a ? end_a : end_b).port;
  w.tcp.destination = (by_a ? end_b : end_a).port;
  w.tcp.seq = Seq((by_a ? j : k) + seq);
  w.tcp.ack = has('A') ? Seq((by_a ? k : j) + ack) : Seq();
  w.tcp.window = 65535;
  return w;
}
inline Wire by_a(std::string_view flags, std::uint32_t seq, std::uint32_t ack,
                 std::uint32_t text = 0) {
  return segment(true, flags, seq, ack, text);
}
inline Wire by_b(std::string_view flags, std::uint32_t seq, std::uint32_t ack,
                 std::uint32_t text = 0) {
  return segment(false, flags, seq, ack, text);
}

inline std::vector<std::byte> datagram(const Wire& w) {
  const auto& [source, destination] = w.by_a ? from_a : from_b;
  const std::size_t head = wire::ipv4_header_size + wire::tcp_size(w.tcp);
  std::vector<std::byte> bytes(head + w.text, std::byte{'.'});
  wire::emit_ip({.source = source.address,
                 .destination = destination.address,
                 .protocol = wire::Protocol::tcp,
                 .header_length = wire::ipv4_header_size,
                 .total_length = std::uint32_t(bytes.size())},
                bytes);
  wire::emit_tcp(w.tcp, MutableBytes{bytes}.subspan(wire::ipv4_header_size));
  return bytes;
}

// Calls `to(event, bytes)` as a stack's log would, for the end that `flow` is seen from.
template <class To>
class Witnessed {
 public:
  Witnessed(Flow flow, To to) : flow_(flow), to_(std::move(to)) {}

  void sent(Duration at, const Wire& w, State s, Reason r = Reason::none) {
    packet(at, EventKind::sent, w, s, s, r);
  }
  void received(Duration at, const Wire& w, State before, State after, Reason r = Reason::none) {
    packet(at, EventKind::received, w, before, after, r);
  }
  void dropped(Duration at, const Wire& w, State s, Reason r) {
    packet(at, EventKind::dropped, w, s, s, r);
  }
  void enter(Duration at, State before, State after, Reason r) {
    to_(Event{.at = Instant{at},
              .kind = EventKind::transition,
              .reason = r,
              .before = before,
              .after = after,
              .flow = flow_},
        Bytes{});
  }

 private:
  void packet(Duration at, EventKind kind, const Wire& w, State before, State after, Reason r) {
    const auto bytes = datagram(w);
    const auto size = std::uint32_t(bytes.size());
    to_(Event{.at = Instant{at},
              .kind = kind,
              .reason = r,
              .before = before,
              .after = after,
              .flow = flow_,
              .length = size,
              .kept = size},
        Bytes{bytes});
  }
  Flow flow_;
  To to_;
};

}  // namespace estab::test
