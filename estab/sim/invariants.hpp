// SPDX-License-Identifier: Apache-2.0
// What holds of every stack at any time, whatever programs, peers and networks do. The virtual
// network checks it, and so do the tests: conversations, pairs of stacks, transfers. Each check
// returns a sentence that says what is violated; empty: nothing.
#pragma once
#include <map>
#include <optional>
#include <string>

#include "estab/stack/stack.hpp"
#include "estab/wire/largest_datagram.hpp"

namespace estab::sim {

// No datagram is larger than the MTU of its interface or path. A path of less than 552 is the
// exception: IPv4 datagrams of at most 552 bytes may go there if routers may cut them (DF clear).
[[nodiscard]] inline std::string check_datagram(const Packet& packet, std::uint32_t interface_mtu,
                                                std::uint32_t path_mtu = ~0u) {
  constexpr std::uint32_t smallest_path = 552;
  const auto size = wire::largest_datagram(packet);
  if (size > interface_mtu)
    return "a datagram of " + std::to_string(size) + " bytes left by an interface with an MTU of " +
           std::to_string(interface_mtu);
  if (size <= path_mtu) return {};
  const bool may_be_cut = packet.linear()[0] >> 4 == std::byte{4} &&
                          (packet.linear()[6] & std::byte{0x40}) == std::byte{};
  if (may_be_cut && size <= smallest_path) return {};
  return "a datagram of " + std::to_string(size) + " bytes left for a path with an MTU of " +
         std::to_string(path_mtu);
}

// One connection's numbers agree with each other.
template <class Info>
[[nodiscard]] std::string check_connection(const Info& info) {
  const auto is_open = [&] {
    return info.state != State::closed && info.state != State::listen &&
           info.state != State::syn_sent && info.state != State::syn_received;
  };
  if (is_open() && info.cwnd < info.send_mss)
    return "cwnd is " + std::to_string(info.cwnd) + ", less than a segment of " +
           std::to_string(info.send_mss);
  constexpr std::uint32_t fin = 1;
  // CLOSE in SYN-RECEIVED leads to FIN-WAIT-1 while our SYN is not acknowledged.
  const std::uint32_t syn = info.state == State::fin_wait_1;
  if (is_open() && info.flight > info.send_queue + fin + syn)
    return "more is in flight than was sent: SND.UNA <= SND.NXT does not hold";
  if constexpr (requires { info.pipe + info.sacked + info.lost; })
    if (const auto sum = info.pipe + info.sacked + info.lost;
        is_open() && info.flight != sum && info.flight != sum + syn)
      return "pipe " + std::to_string(info.pipe) + ", SACKed " + std::to_string(info.sacked) +
             " and lost " + std::to_string(info.lost) + " are not what is in flight, " +
             std::to_string(info.flight);
  return {};
}

// Whether the connection waits for something that only time can bring about if the peer is silent.
[[nodiscard]] inline bool needs_a_deadline(const ConnectionInfo& info) {
  switch (info.state) {
    case State::closed:
    case State::listen:       return false;
    case State::syn_sent:
    case State::syn_received:
    case State::fin_wait_1:
    case State::closing:
    case State::last_ack:
    case State::time_wait:    return true;
    case State::established:
    case State::close_wait:   return info.send_queue > 0 || info.flight > 0;
    case State::fin_wait_2:   return info.orphan;
  }
  std::unreachable();
}

// All of one stack, after poll_transmit. Its cost grows with the number of its connections.
template <class S>
[[nodiscard]] std::string check_stack(const S& stack, Instant now) {
  const auto all = stack.snapshot(now);
  for (const auto& info : all.connections) {
    if (auto wrong = check_connection(info); !wrong.empty()) return wrong;
    if (needs_a_deadline(info) && stack.next_deadline() == never)
      return "a connection has something to send or to wait for, and no deadline: " +
             info.flow.local.to_string() + " to " + info.flow.remote.to_string();
  }
  if constexpr (requires { stack.audit(); }) return stack.audit();
  return {};
}

// What a stack offered its peers to take, by what left: the right edge never moves left
// (SHLD-14), and in-order text up to it is taken.
class OfferedWindows {
 public:
  // All events of one stack, in their order. `headers`: enough of the packet, if one belongs to it.
  static constexpr std::uint32_t headers = 160;
  [[nodiscard]] std::string look_at(const Event& event, Bytes packet) {
    switch (event.kind) {
      case EventKind::sent:       return sent(packet, event.length);
      case EventKind::received:   return received(packet, event.length), std::string{};
      case EventKind::dropped:    return dropped(packet, event.length, event.reason);
      case EventKind::transition: return told(event), std::string{};
      case EventKind::first_text: return {};
    }
    std::unreachable();
  }

 private:
  // A datagram left the stack, or came and was taken: `length` bytes, of which all headers are
  // given.
  [[nodiscard]] std::string sent(Bytes datagram, std::size_t length) {
    const auto segment = parse(datagram, length);
    if (!segment || segment->tcp.flags.rst) return {};
    const auto& tcp = segment->tcp;
    if (tcp.flags.syn) return syn_sent(segment->of(true), tcp), std::string{};
    const auto found = windows_.find(segment->of(true));
    if (found == windows_.end() || !tcp.flags.ack) return {};
    Window& window = found->second;
    const Seq edge = tcp.ack + (std::uint32_t{tcp.window} << window.shift());
    const bool left = window.edge && edge < *window.edge && !window.fin_came;
    const auto by = left ? distance(edge, *window.edge) : 0;
    // The field counts whole units, so the edge wavers within one (RFC 7323 §2.4, Appendix F).
    const bool by_rounding = by < 1u << window.shift();
    if (!window.edge || edge > *window.edge) window.edge = edge;
    window.acked = tcp.ack;
    if (!left || by_rounding) return {};
    return "the right edge of the offered window moved left by " + std::to_string(by) + " bytes";
  }
  void received(Bytes datagram, std::size_t length) {
    const auto segment = parse(datagram, length);
    if (!segment) return;
    const auto& tcp = segment->tcp;
    Window& window = windows_[segment->of(false)];
    if (tcp.flags.syn) window.peer_scales = tcp.options.window_scale.has_value();
    window.opened |= tcp.flags.ack && !tcp.flags.syn;
    window.fin_came |= tcp.flags.fin;
    const Seq end = tcp.seq + segment->text + tcp.flags.syn + tcp.flags.fin;
    if (!window.furthest || tcp.flags.syn || end > *window.furthest) window.furthest = end;
  }
  // An event that belongs to no packet. A cookie does not bring back whether the window was scaled:
  // the connection that it opens offers its window anew.
  void told(const Event& event) {
    if (event.kind == EventKind::transition && event.reason == Reason::cookie_returned)
      windows_[{event.flow.local, event.flow.remote}].edge.reset();
  }
  // It came and was dropped for this reason.
  [[nodiscard]] std::string dropped(Bytes datagram, std::size_t length, Reason reason) const {
    const bool for_room = reason == Reason::receive_memory || reason == Reason::reassembly_full;
    if (!for_room && reason != Reason::out_of_window) return {};
    const auto segment = parse(datagram, length);
    if (!segment || segment->text == 0 || segment->tcp.flags.syn) return {};
    const auto found = windows_.find(segment->of(false));
    if (found == windows_.end()) return {};
    const Window& window = found->second;
    if (!window.edge || !window.opened || window.fin_came) return {};
    // Only what is surely next: it begins where our last ACK was, and nothing came behind it.
    const Seq end = segment->tcp.seq + segment->text;
    const bool next = window.acked == segment->tcp.seq &&
                      (for_room || !window.furthest || *window.furthest <= segment->tcp.seq);
    if (!next || end > *window.edge) return {};
    return "in-order text within the offered window was dropped: " + std::string(text(reason).name);
  }

  struct Window {
    std::optional<std::uint8_t> scale;  // Ours, if our SYN offered one.
    bool peer_scales = false, opened = false, fin_came = false;
    std::optional<Seq> syn, edge, furthest;
    Seq acked;
    [[nodiscard]] unsigned shift() const { return peer_scales ? scale.value_or(0) : 0; }
  };
  // Seen from the stack.
  using Key = std::pair<Endpoint, Endpoint>;
  struct Parsed {
    Address source, destination;
    wire::TcpHeader tcp;
    std::uint32_t text;
    [[nodiscard]] Key of(bool ours) const {
      const Endpoint from{source, tcp.source}, to{destination, tcp.destination};
      return ours ? Key{from, to} : Key{to, from};
    }
  };
  static std::optional<Parsed> parse(Bytes datagram, std::size_t length) {
    const auto ip = wire::parse_ip(datagram, length);
    if (!ip || ip->protocol != wire::Protocol::tcp) return {};
    const auto tcp = wire::parse_tcp(datagram.subspan(ip->header_length));
    if (!tcp) return {};
    const auto text = ip->payload_length() - std::uint32_t(tcp->length);
    return Parsed{ip->source, ip->destination, tcp->header, text};
  }
  void syn_sent(const Key& key, const wire::TcpHeader& tcp) {
    Window& window = windows_[key];
    if (window.syn != tcp.seq) {  // A connection begins; of the peer's SYN we know already.
      const bool peer_scales = window.peer_scales;
      window = {};
      window.peer_scales = peer_scales && tcp.flags.ack;
    }
    window.syn = tcp.seq;
    window.scale = tcp.options.window_scale;
    if (!tcp.flags.ack) return;
    window.acked = tcp.ack;
    window.edge = tcp.ack + tcp.window;
  }

  std::map<Key, Window> windows_;
};

}  // namespace estab::sim
