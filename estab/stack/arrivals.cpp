// SPDX-License-Identifier: Apache-2.0
// The way in: from a packet to what it means to a connection, a record, a listener, or nobody.
#include "estab/stack/impl.hpp"
#include "estab/wire/icmp.hpp"

namespace estab {
using tcp::Segment;

void Stack::Impl::receive(Packet packet) {
  const std::size_t arrival = log.arrived(
      {.at = env.now, .kind = EventKind::received, .interface = packet.interface()}, packet);
  const Fate fate = take(std::move(packet));
  log.settle(arrival, fate.flow, fate.before, fate.after, fate.reason);
  process_ended();
}

Stack::Impl::Fate Stack::Impl::take(Packet packet) {
  const auto header = ip.accept(packet);
  if (!header) return {header.error()};
  switch (header->protocol) {
    case wire::Protocol::tcp: return tcp_arrives(*header, std::move(packet));
    case wire::Protocol::icmp:
      return header->is_v4() ? icmp_arrives(*header, std::move(packet)) : Fate{Reason::ip_protocol};
    case wire::Protocol::icmpv6:
      return header->is_v4() ? Fate{Reason::ip_protocol} : icmp_arrives(*header, std::move(packet));
    case wire::Protocol::udp:
    case wire::Protocol::none: break;
  }
  return {Reason::ip_protocol};
}

// --- ICMP (RFC 1122 §3.2.2, RFC 9293 §3.9.2.2) ------------------------------------------------

Stack::Impl::Fate Stack::Impl::icmp_arrives(const wire::IpHeader& header, Packet packet) {
  Packet whole = pool.copy(packet);  // Rare and small: contiguous, and ours to answer in.
  if (!whole) return {Reason::no_memory};
  whole.pull_front(header.header_length);
  const auto message = wire::parse_icmp(header, whole.linear());
  if (!message) return {message.error()};
  switch (message->kind) {
    case wire::IcmpKind::error:        return error_arrives(message->error);
    case wire::IcmpKind::other:        return {Reason::icmp_ignored};
    case wire::IcmpKind::echo_request: break;
  }
  if (!echoes_.take(env.now)) return {Reason::icmp_rate_limit};
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

Stack::Impl::Fate Stack::Impl::error_arrives(const wire::IcmpError& error) {
  Fate fate{Reason::icmp_no_connection, error.flow};
  if (error.meaning == wire::IcmpMeaning::source_quench)
    return fate.reason = Reason::icmp_source_quench, fate;
  const auto* ref = find(error.flow);
  if (ref == nullptr || ref->what() != Kind::connection) return fate;
  tcp::Connection& connection = connections[ref->index];
  fate.before = fate.after = connection.state();
  if (!connection.in_flight(error.seq)) return fate.reason = Reason::icmp_not_in_flight, fate;
  if (error.meaning == wire::IcmpMeaning::packet_too_big &&
      !ip.lower_path_mtu(error.flow.remote.address, error.mtu, env.now))
    return fate.reason = Reason::icmp_ignored, fate;
  fate.reason = connection.icmp_arrives(env, error);
  fate.after = connection.state();
  return fate;
}

// --- TCP ----------------------------------------------------------------------------------------

Stack::Impl::Fate Stack::Impl::tcp_arrives(const wire::IpHeader& header, Packet packet) {
  packet.pull_front(header.header_length);
  const auto parsed = wire::parse_tcp(packet.linear());
  if (!parsed) return {parsed.error()};
  const wire::TcpHeader& h = parsed->header;
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
    if (sum.value() != 0) return {Reason::tcp_checksum, seg.flow};
  }
  if (number(h.source) == 0 || number(h.destination) == 0) return {Reason::port_zero, seg.flow};
  if (seg.flow.local == seg.flow.remote) return {Reason::ip_land, seg.flow};
  packet.pull_front(parsed->length);
  seg.text = std::uint32_t(packet.size());
  if (seg.text > 0) seg.packet = std::move(packet);

  const auto* ref = find(seg.flow);
  if (ref == nullptr) return arrives_at_no_connection(seg, std::nullopt);
  const std::uint32_t index = ref->index;
  switch (ref->what()) {
    case Kind::connection: return arrives_at_connection(index, seg);
    case Kind::half_open:  return arrives_at_half_open(index, seg);
    case Kind::time_wait:  return arrives_at_time_wait(index, seg);
  }
  std::unreachable();
}

Stack::Impl::Fate Stack::Impl::arrives_at_connection(std::uint32_t index, Segment& seg) {
  tcp::Connection& connection = connections[index];
  if (connection.yields_to(seg) && find_listener(seg.flow.local)) {  // RFC 6191.
    const Seq above = connection.remains().snd_nxt;
    connection.yield(env);
    process_ended();
    return arrives_at_no_connection(seg, above);
  }
  Fate fate{.reason = Reason::none, .flow = seg.flow, .before = connection.state()};
  fate.reason = connection.segment_arrives(env, seg);
  fate.after = connection.state();
  return fate;
}

Stack::Impl::Fate Stack::Impl::arrives_at_half_open(std::uint32_t index, Segment& seg) {
  tcp::HalfOpen& record = half_open[index];
  Listener& listener = listeners[record.listener];
  Fate fate{Reason::none, seg.flow, State::syn_received, State::syn_received};
  const std::uint32_t window = tcp::first_window(listener.options.receive_buffer, 536);
  const auto outcome = tcp::segment_arrives(config.tcp, record, seg, window);
  fate.reason = outcome.reason;
  switch (outcome.verdict) {
    case tcp::HalfOpenVerdict::drop: break;
    case tcp::HalfOpenVerdict::answer:
      if (!record.deferred) owe_syn_ack(index, record);
      break;
    case tcp::HalfOpenVerdict::acknowledge:
      if (resets_.take(env.now))
        reply(seg.flow, {.seq = record.iss + 1, .ack = record.irs + 1, .flags = {.ack = true}},
              State::syn_received, Reason::send_challenge_ack);
      break;
    case tcp::HalfOpenVerdict::reset: reset_for(seg, State::syn_received, outcome.reason); break;
    case tcp::HalfOpenVerdict::back_to_listen:
      remove_half_open(index, State::listen, outcome.reason);
      fate.reason = Reason::none, fate.after = State::listen;
      break;
    case tcp::HalfOpenVerdict::established:
      if (record.deferred) return fate.reason = Reason::listen_deferred, fate;
      if (listener.accept_queue_full()) {  // The record stays; the peer's next segment tries again.
        ++listener.accept_overflows;
        return fate.reason = Reason::accept_queue_full, fate;
      }
      const auto opened = promote(index, listener);
      if (!opened) return fate.reason = Reason::memory_limit, fate;
      tcp::Connection& connection = connections[*opened];
      fate.reason = connection.segment_arrives(env, seg);
      fate.after = connection.state();
      break;
  }
  return fate;
}

// The record becomes a connection in the accept queue.
std::optional<std::uint32_t> Stack::Impl::promote(std::uint32_t index, Listener& listener) {
  const tcp::HalfOpen& record = half_open[index];
  if (!memory.has_room(sizeof(tcp::Connection))) return std::nullopt;
  const auto [name, connection] = connections.emplace(env, record, listener.options);
  connection->set_index(name.index);
  const Flow flow = record.flow;
  const std::uint32_t at = record.listener;
  log.transition(env.now, flow, State::syn_received, State::established, Reason::handshake_done);
  half_open_timers.disarm(half_open[index]);
  half_open.erase(index);
  memory.release(sizeof(tcp::HalfOpen));
  --listener.half_open;
  drop(flow, Kind::half_open, index);
  put(flow, Kind::connection, name.index);
  listener.accept_queue.push_back(name.index);
  ++listener.accepted;
  note_listener(at, notice::acceptable);
  return name.index;
}

Stack::Impl::Fate Stack::Impl::arrives_at_time_wait(std::uint32_t index, Segment& seg) {
  tcp::TimeWait& record = time_wait_[index];
  auto outcome = tcp::segment_arrives(config.tcp, record, seg);
  if (outcome.verdict == tcp::TimeWaitVerdict::reuse && !find_listener(seg.flow.local))
    outcome = {tcp::TimeWaitVerdict::acknowledge, Reason::syn_challenged};  // Nobody would take it.
  Fate fate{outcome.reason, seg.flow, State::time_wait, State::time_wait};
  switch (outcome.verdict) {
    case tcp::TimeWaitVerdict::drop: break;
    case tcp::TimeWaitVerdict::restart:
      time_wait_.restart(index, env.now, config.tcp.time_wait);
      [[fallthrough]];
    case tcp::TimeWaitVerdict::acknowledge: {
      if (!resets_.take(env.now)) break;
      wire::TcpHeader h{.seq = record.snd_nxt, .ack = record.rcv_nxt, .flags = {.ack = true}};
      h.window = 65535;
      if (record.has_timestamps)
        h.options.timestamps = {tcp::timestamp_at(env.now) + record.ts_offset, record.ts_recent};
      reply(seg.flow, h, State::time_wait, Reason::send_ack);
      break;
    }
    case tcp::TimeWaitVerdict::reuse: {
      const Seq above = record.snd_nxt;
      remove_time_wait(index, outcome.reason);
      return arrives_at_no_connection(seg, above);
    }
    case tcp::TimeWaitVerdict::end:
      remove_time_wait(index, outcome.reason);
      fate.after = State::closed;
      break;
  }
  return fate;
}

// §3.10.7.1, CLOSED, unless somebody listens. `above`: our number must lie past this one.
Stack::Impl::Fate Stack::Impl::arrives_at_no_connection(Segment& seg, std::optional<Seq> above) {
  if (const auto listener = find_listener(seg.flow.local))
    return arrives_at_listener(*listener, seg, above);
  if (seg.flags.rst) return {Reason::closed_rst, seg.flow};
  reset_for(seg, State::closed, Reason::closed_port);
  return {Reason::closed_port, seg.flow};
}

// §3.10.7.2, LISTEN.
Stack::Impl::Fate Stack::Impl::arrives_at_listener(std::uint32_t index, Segment& seg,
                                                   std::optional<Seq> above) {
  Listener& listener = listeners[index];
  Fate fate{Reason::none, seg.flow, State::listen, State::listen};
  // First, check for a RST.
  if (seg.flags.rst) return fate.reason = Reason::listen_rst, fate;
  // Second, check for an ACK.
  if (seg.flags.ack) {
    reset_for(seg, State::listen, Reason::listen_ack);
    return fate.reason = Reason::listen_ack, fate;
  }
  // Third, check for a SYN. With FIN as well it is dropped in silence (Linux).
  if (!seg.flags.syn || seg.flags.fin) return fate.reason = Reason::listen_flags, fate;
  const Verdict verdict = judge(listener, seg.flow.remote.address);
  switch (verdict) {
    case Verdict::reject:
      reset_for(seg, State::listen, Reason::listen_rejected);
      return fate.reason = Reason::listen_rejected, fate;
    case Verdict::drop:   return fate.reason = Reason::listen_dropped, fate;
    case Verdict::accept:
    case Verdict::defer:  break;
  }
  fate.reason = open_half(index, listener, seg, verdict, above);
  if (fate.reason == Reason::none) fate.after = State::syn_received;
  return fate;
}

Reason Stack::Impl::open_half(std::uint32_t index, Listener& listener, const Segment& syn,
                              Verdict verdict, std::optional<Seq> above) {
  if (listener.accept_queue_full()) return ++listener.accept_overflows, Reason::accept_queue_full;
  if (listener.half_open >= listener.rules.half_open_limit ||
      half_open.size() >= config.tcp.half_open_limit)
    return ++listener.half_open_overflows, Reason::half_open_full;
  if (!memory.has_room(sizeof(tcp::HalfOpen))) return Reason::memory_limit;
  const auto [name, record] = half_open.emplace();
  memory.charge(sizeof(tcp::HalfOpen));
  tcp::take_syn(*record, config.tcp, syn);
  record->listener = index;
  record->opened_ms = tcp::timestamp_at(env.now);
  record->iss = tcp::passive_isn(secrets.initial_sequence,
                                 {syn.flow, syn.seq, record->mss, record->has_timestamps}, env.now);
  if (above && record->iss <= *above) record->iss = *above + 65537;  // RFC 6191: past the old ones.
  ++listener.half_open;
  put(syn.flow, Kind::half_open, name.index);
  log.transition(env.now, syn.flow, State::listen, State::syn_received, Reason::syn_arrived);
  half_open_timers.arm(*record, env.now + tcp::syn_ack_interval(config.tcp, 0));
  if (verdict == Verdict::defer) {
    record->deferred = true;
    listener.deferred.push_back({name.index, name.generation});
    note_listener(index, notice::deferred);
    log.counters().count(Reason::listen_deferred);
  } else {
    owe_syn_ack(name.index, *record);
  }
  return Reason::none;
}

Verdict Stack::Impl::judge(const Listener& listener, const Address& source) const {
  for (const auto& rule : listener.rules.rules)
    if (rule.source.contains(source)) return rule.verdict;
  return listener.rules.otherwise;
}

void Stack::Impl::remove_half_open(std::uint32_t index, State to, Reason why) {
  tcp::HalfOpen& record = half_open[index];
  log.transition(env.now, record.flow, State::syn_received, to, why);
  --listeners[record.listener].half_open;
  half_open_timers.disarm(record);
  drop(record.flow, Kind::half_open, index);
  half_open.erase(index);
  memory.release(sizeof(tcp::HalfOpen));
}

void Stack::Impl::remove_time_wait(std::uint32_t index, Reason why) {
  const Flow flow = time_wait_[index].flow;
  log.transition(env.now, flow, State::time_wait, State::closed, why);
  drop(flow, Kind::time_wait, index);
  time_wait_.remove(index);
  memory.release(sizeof(tcp::TimeWait));
}

}  // namespace estab
