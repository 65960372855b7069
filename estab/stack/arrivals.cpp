// SPDX-License-Identifier: Apache-2.0
// The way in: from a packet to what it means to a connection, a record, a listener, or nobody.
#include "estab/stack/impl.hpp"
#include "estab/wire/icmp.hpp"

namespace estab {
using tcp::Segment;

void Stack::Impl::receive(Packet packet) {
  const std::size_t arrival = log.arrived(
      {.at = env.now, .kind = EventKind::received, .interface = packet.interface()}, packet);
  Flow flow;
  const Fate fate = take(std::move(packet), flow);
  log.settle(arrival, flow, fate.before, fate.after, fate.reason);
  process_ended();
}

Stack::Impl::Fate Stack::Impl::take(Packet packet, Flow& flow) {
  const auto header = ip.accept(packet);
  if (!header) return {header.error()};
  switch (header->protocol) {
    case wire::Protocol::tcp: return tcp_arrives(*header, std::move(packet), flow);
    case wire::Protocol::icmp:
      return header->is_v4() ? icmp_arrives(*header, std::move(packet), flow)
                             : Fate{Reason::ip_protocol};
    case wire::Protocol::icmpv6:
      return header->is_v4() ? Fate{Reason::ip_protocol}
                             : icmp_arrives(*header, std::move(packet), flow);
    case wire::Protocol::udp:
    case wire::Protocol::none: break;
  }
  return {Reason::ip_protocol};
}

// --- ICMP (RFC 1122 §3.2.2, RFC 9293 §3.9.2.2) ------------------------------------------------

Stack::Impl::Fate Stack::Impl::icmp_arrives(const wire::IpHeader& header, Packet packet,
                                            Flow& flow) {
  Packet whole = pool.copy(packet);  // Rare and small: contiguous, and ours to answer in.
  if (!whole) return {Reason::no_memory};
  whole.pull_front(header.header_length);
  const auto message = wire::parse_icmp(header, whole.linear());
  if (!message) return {message.error()};
  switch (message->kind) {
    case wire::IcmpKind::error:        return error_arrives(message->error, flow);
    case wire::IcmpKind::other:        return {Reason::icmp_ignored};
    case wire::IcmpKind::echo_request: break;
  }
  const Flow asked{{header.destination, {}}, {header.source, {}}};
  if (!may_answer(asked, tcp::Answer::echo_reply)) return {Reason::icmp_rate_limit};
  wire::IpHeader back{
      .source = header.destination, .destination = header.source, .protocol = header.protocol};
  wire::make_echo_reply(back, whole.linear());
  back.total_length = std::uint32_t(wire::ip_header_size(back.source) + whole.size());
  wire::emit_ip(back, whole.push_front(wire::ip_header_size(back.source)));
  log.packet({.at = env.now,
              .kind = EventKind::sent,
              .reason = Reason::send_echo_reply,
              .interface = whole.interface()},
             whole, Reason::send_echo_reply);
  queue(std::move(whole));
  return {};
}

Stack::Impl::Fate Stack::Impl::error_arrives(const wire::IcmpError& error, Flow& flow) {
  flow = error.flow;
  Fate fate{Reason::icmp_no_connection};
  if (error.meaning == wire::IcmpMeaning::source_quench)
    return fate.reason = Reason::icmp_source_quench, fate;
  const std::uint64_t hash = hash_of(error.flow);
  if (const auto at = half_open.find(hash, error.flow); at != SynCache::none)
    return error_at_half_open(at, error);
  const auto* ref = find(hash, error.flow);
  if (ref == nullptr || ref->what() != Kind::connection) return fate;
  tcp::Connection& connection = connections[ref->index];
  fate.before = fate.after = connection.state();
  if (!connection.in_flight(error.seq)) return fate.reason = Reason::icmp_not_in_flight, fate;
  // Others may have learnt it before: this connection's segment is too big all the same.
  if (error.meaning == wire::IcmpMeaning::packet_too_big)
    (void)ip.lower_path_mtu(error.flow.remote.address, error.mtu, env.now);
  fate.reason = connection.icmp_arrives(env, error);
  fate.after = connection.state();
  return fate;
}

// An error about our SYN-ACK. A hard one drops the record. So does a soft one where the peer's ACK
// brings a cookie back: nothing is lost then, and the SYN-ACK is not sent to nobody; otherwise the
// record stays (MUST-56). A SYN-ACK is smaller than every path carries.
Stack::Impl::Fate Stack::Impl::error_at_half_open(SynCache::Index at,
                                                  const wire::IcmpError& error) {
  const tcp::HalfOpen& record = half_open[at];
  Fate fate{Reason::icmp_ignored, State::syn_received, State::syn_received};
  if (record.deferred || error.seq != record.iss)  // RFC 5927 §4.1.
    return fate.reason = Reason::icmp_not_in_flight, fate;
  const bool by_cookie = !record.irreplaceable && config.tcp.syn_cookies != tcp::CookieUse::never;
  switch (error.meaning) {
    case wire::IcmpMeaning::soft:
      if (!by_cookie) return fate;
      break;
    case wire::IcmpMeaning::hard:           break;
    case wire::IcmpMeaning::packet_too_big:
    case wire::IcmpMeaning::source_quench:  return fate;
  }
  if (by_cookie) await_cookies(listeners[record.listener]);
  remove_half_open(at, State::listen, Reason::host_unreachable);
  return {Reason::none, State::syn_received, State::listen};
}

// --- TCP ----------------------------------------------------------------------------------------

Stack::Impl::Fate Stack::Impl::tcp_arrives(const wire::IpHeader& header, Packet packet,
                                           Flow& flow) {
  packet.pull_front(header.header_length);
  const auto parsed = wire::parse_tcp(packet.linear());
  if (!parsed) return {parsed.error()};
  const wire::TcpHeader& h = parsed->header;
  flow = {{header.destination, h.destination}, {header.source, h.source}};
  Segment seg{.flow = {{header.destination, h.destination}, {header.source, h.source}},
              .seq = h.seq,
              .ack = h.ack,
              .wnd = h.window,
              .up = h.urgent,
              .flags = h.flags,
              .options = h.options,
              .ecn = header.ecn,
              .dscp = header.dscp,
              .packet = {},
              .text = 0};
  if (packet.offload().checksum == Offload::Checksum::complete) {  // MUST-3.
    auto sum = wire::pseudo_header(header.source, header.destination, wire::Protocol::tcp,
                                   std::uint32_t(packet.size()));
    packet.for_each_part(0, [&](Bytes part) { sum.add(part); });
    if (sum.value() != 0) return {Reason::tcp_checksum};
  }
  if (number(h.source) == 0 || number(h.destination) == 0) return {Reason::port_zero};
  packet.pull_front(parsed->length);
  seg.text = std::uint32_t(packet.size());
  if (seg.text > 0) seg.packet = std::move(packet);

  const std::uint64_t hash = hash_of(seg.flow);
  if (const auto* ref = find(hash, seg.flow)) {
    const std::uint32_t index = ref->index;
    switch (ref->what()) {
      case Kind::connection: return arrives_at_connection(index, seg);
      case Kind::time_wait:  return arrives_at_time_wait(Kind::time_wait, index, seg);
    }
  }
  if (const auto at = half_open.find(hash, seg.flow); at != SynCache::none)
    return arrives_at_half_open(at, seg);
  return arrives_at_no_connection(seg, hash, std::nullopt);
}

Stack::Impl::Fate Stack::Impl::arrives_at_connection(std::uint32_t index, Segment& seg) {
  tcp::Connection& connection = connections[index];
  if (connection.state() == State::time_wait)
    return arrives_at_time_wait(Kind::connection, index, seg);
  Fate fate{.before = connection.state()};
  if (connection.unproven && seg.text > 0) prove(connection);
  fate.reason = connection.segment_arrives(env, seg);
  fate.after = connection.state();
  return fate;
}

// One rule (tcp::segment_arrives for a TIME-WAIT record), whether a record waits or a connection
// whose handle the program still holds.
Stack::Impl::Fate Stack::Impl::arrives_at_time_wait(Kind kind, std::uint32_t index, Segment& seg) {
  tcp::Connection* held = kind == Kind::connection ? &connections[index] : nullptr;
  tcp::TimeWait remains = held != nullptr ? held->remains() : tcp::TimeWait{};
  tcp::TimeWait& record = held != nullptr ? remains : time_wait_[index];
  auto outcome = tcp::segment_arrives(config.tcp, record, seg);
  if (held != nullptr) held->set_ts_recent(record.ts_recent);
  if (outcome.verdict == tcp::TimeWaitVerdict::reuse && !find_listener(seg.flow.local))
    outcome = {tcp::TimeWaitVerdict::acknowledge, Reason::syn_challenged};  // Nobody would take it.
  Fate fate{outcome.reason, State::time_wait, State::time_wait};
  const auto& options = held != nullptr ? held->options() : config.tcp.defaults;
  // An ACK that is owed already says the same.
  const bool owes = held != nullptr && held->owes();
  switch (outcome.verdict) {
    case tcp::TimeWaitVerdict::drop: break;
    case tcp::TimeWaitVerdict::restart:
      if (held != nullptr) held->restart_time_wait(env);
      else time_wait_.restart(index, env.now, config.tcp.time_wait);
      if (!owes) acknowledge_time_wait(record, tcp::Answer::fin_again_ack, options);
      break;
    case tcp::TimeWaitVerdict::acknowledge:
      if (!owes) acknowledge_time_wait(record, tcp::Answer::time_wait_ack, options);
      break;
    case tcp::TimeWaitVerdict::reuse: {
      const Seq above = record.snd_nxt;
      end_time_wait(kind, index, outcome.reason);
      return arrives_at_no_connection(seg, hash_of(seg.flow), above);
    }
    case tcp::TimeWaitVerdict::end:
      end_time_wait(kind, index, outcome.reason);
      fate.after = State::closed;
      break;
  }
  return fate;
}

void Stack::Impl::acknowledge_time_wait(const tcp::TimeWait& record, tcp::Answer kind,
                                        const tcp::Options& options) {
  if (!may_answer(record.flow, kind)) return;
  wire::TcpHeader h{.seq = record.snd_nxt, .ack = record.rcv_nxt, .flags = {.ack = true}};
  h.window = 65535;
  if (record.has_timestamps)
    h.options.timestamps = {tcp::timestamp_at(env.now) + record.ts_offset, record.ts_recent};
  reply(record.flow, h, State::time_wait, Reason::send_ack, options);
}

void Stack::Impl::end_time_wait(Kind kind, std::uint32_t index, Reason why) {
  if (kind == Kind::time_wait) return remove_time_wait(index, why);
  connections[index].leave_time_wait(env, why);
  retire(index);
}

void Stack::Impl::remove_time_wait(std::uint32_t index, Reason why) {
  const Flow flow = time_wait_[index].flow;
  log.transition(env.now, flow, State::time_wait, State::closed, why);
  drop(flow, Kind::time_wait, index);
  time_wait_.remove(index);
  memory.release(tcp::TimeWaitList::bytes_each);
}

}  // namespace estab
