// SPDX-License-Identifier: Apache-2.0
// The way out, and time: timers, what is owed, IP headers and checksums.
#include "estab/stack/impl.hpp"

namespace estab {
namespace {

constexpr std::uint32_t outbox_limit = 1024;

}  // namespace

bool Stack::Impl::poll_transmit(PacketSink& sink) {
  sink_ = &sink;
  run_timers();
  if (reclaimer.due(memory, orphans) <= env.now) reclaimer.step(connections, env, orphans);
  const bool taken = flush_outbox();
  work.allow(closing_share);
  if (taken) close_more();
  work.allow(send_share);
  const bool all = taken && send_owed();
  work.allow(ended_share);
  process_ended();
  work.allow(notice_share);
  pass_over_silent();
  sink_ = nullptr;
  return all;
}

Instant Stack::Impl::next_deadline() const {
  const bool at_once = !outbox_.empty() || !env.owing.empty() || !env.ended.empty() ||
                       !owed_syn_acks_.empty() || !closing_.empty() || notices_cut_;
  if (at_once) return Instant::min();
  Instant next = std::min({connection_timers.next_deadline(), half_open.next_deadline(),
                           defence_due_, reclaimer.due(memory, orphans)});
  if (const auto first = time_wait_.first(); first != tcp::TimeWait::none)
    next = std::min(next, time_wait_.ends(first, env.now));
  return next;
}

// Each kind has its share of the call's work, so that none keeps the others waiting.
void Stack::Impl::run_timers() {
  work.allow(timer_share);
  while (TimerNode* node = connection_timers.pop_due(env.now, work))
    static_cast<tcp::Connection*>(node)->timeout(env);
  work.allow(half_open_share);
  while (half_open.next_deadline() <= env.now && work.take())
    half_open_timeout(half_open.pop_due(env.now));
  work.allow(calm_share);
  if (defence_due_ <= env.now) update_defences();
  work.allow(time_wait_share);
  for (auto first = time_wait_.first();
       first != tcp::TimeWait::none && time_wait_.ends(first, env.now) <= env.now && work.take();
       first = time_wait_.first())
    remove_time_wait(first, Reason::time_wait_over);
}

// False: the sink had enough.
bool Stack::Impl::send_owed() {
  if (!send_owed_syn_acks()) return false;
  // Those that find no room keep their turn; those that come to owe while we send wait for theirs.
  for (auto turn = env.owing.size(); turn > 0 && work.take(); --turn) {
    const std::uint32_t index = env.owing.front();
    if (tcp::Connection* connection = connections.find(index)) {
      connection->queued_owing = false;
      if (!connection->transmit(env)) {
        connection->queued_owing = true;
        return false;
      }
      // The ACK that it owed was all that kept it from being a record.
      if (connection->state() == State::time_wait && connection->orphan())
        connection->tell_end(env);
    }
    env.owing.pop_front();
  }
  return true;
}

bool Stack::Impl::send_owed_syn_acks() {
  for (; !owed_syn_acks_.empty() && work.take(); owed_syn_acks_.pop_front()) {
    const HalfOpenId id = owed_syn_acks_.front();
    if (half_open.find(id.index, id.generation) == SynCache::none) continue;
    tcp::HalfOpen& record = half_open[id.index];
    Listener& listener = listeners[record.listener];
    if (listener.closed) continue;
    tcp::Path path;
    (void)refresh(path, record.flow.remote.address);
    if (!ready(path)) return false;
    record.owed = false;
    const bool again = record.retransmissions > 0;
    if (again) ++listener.syn_acks_retransmitted;
    tcp::send_syn_ack(env, record, listener.options,
                      again ? Reason::retransmit_timeout : Reason::send_syn_ack);
  }
  return true;
}

// --- tcp::Below
// -----------------------------------------------------------------------------------

bool Stack::Impl::refresh(tcp::Path& path, const Address& remote) {
  const std::uint32_t generation = ip.generation(env.now);
  if (path.generation == generation) return false;
  const tcp::Path before = std::exchange(path, {});
  path.generation = generation;
  if (const auto out = ip.route(remote)) {
    const auto [mtu, fragment] = ip.path_mtu(remote);
    const ip::InterfaceConfig& interface = ip.interface(*out);
    constexpr std::uint32_t headers = wire::ipv6_header_size + wire::tcp_largest_header;
    path.routed = true;
    path.interface = *out;
    path.interface_mtu = std::uint16_t(interface.mtu);
    path.mtu = std::uint16_t(mtu);
    path.fragment = fragment;
    // Each datagram that may be fragmented has an identification of its own.
    if (interface.largest_segment > interface.mtu && !fragment)
      path.gso_max = std::uint16_t(
          std::min(config.tcp.largest_super_segment, interface.largest_segment - headers));
  }
  const bool same = before.routed == path.routed && before.interface == path.interface &&
                    before.mtu == path.mtu && before.fragment == path.fragment &&
                    before.gso_max == path.gso_max;
  return before.generation == 0 || !same;
}

bool Stack::Impl::ready(const tcp::Path& path) {
  return !path.routed || (outbox_.empty() && sink_ != nullptr && sink_->ready(path.interface));
}

void Stack::Impl::negative_advice(const Address& remote) { ip.forget_path(remote); }

void Stack::Impl::output(Packet packet, const tcp::Outgoing& how) {
  const Flow& flow = how.flow;
  tcp::Path path = how.path != nullptr ? *how.path : tcp::Path{};
  if (how.path == nullptr) (void)refresh(path, flow.remote.address);
  if (!path.routed) return log.counters().count(Reason::no_route);
  packet.interface() = path.interface;
  const auto length = std::uint32_t(packet.size());
  auto sum =
      wire::pseudo_header(flow.local.address, flow.remote.address, wire::Protocol::tcp, length);
  std::byte* field = packet.linear().data() + wire::tcp_checksum_offset;
  if (how.segment_size > 0 || ip.interface(path.interface).transmit_checksum) {
    packet.offload() = {Offload::Checksum::owed, how.segment_size};
    store_be(field, sum.sum());
  } else {  // MUST-2.
    packet.for_each_part(0, [&](Bytes part) { sum.add(part); });
    store_be(field, sum.value());
  }
  const std::size_t header = wire::ip_header_size(flow.remote.address);
  wire::emit_ip({.source = flow.local.address,
                 .destination = flow.remote.address,
                 .protocol = wire::Protocol::tcp,
                 .hop_limit = how.hop_limit,
                 .dscp = how.dscp,
                 .ecn = wire::Ecn::not_ect,
                 .header_length = std::uint16_t(header),
                 .total_length = std::uint32_t(header + length),
                 .fragment = path.fragment,
                 .identification = path.fragment ? identification(flow) : std::uint16_t{0}},
                packet.push_front(header));
  log.packet({.at = env.now,
              .kind = EventKind::sent,
              .reason = how.reason,
              .before = how.before,
              .after = how.after,
              .flow = flow,
              .interface = path.interface},
             packet, how.reset ? Reason::send_rst : how.reason);
  if (sink_ != nullptr && outbox_.empty()) sink_->transmit(std::move(packet));
  else queue(std::move(packet));
}

// Counted from a start that nobody knows, so that it tells nothing of others' datagrams.
std::uint16_t Stack::Impl::identification(const Flow& flow) {
  const Flow hosts{{flow.local.address, {}}, {flow.remote.address, {}}};
  return std::uint16_t(tcp::hash_flow(secrets.ports, hosts) +
                       ip.next_identification(flow.remote.address));
}

void Stack::Impl::queue(Packet packet) {
  if (outbox_size_ >= outbox_limit) return log.counters().count(Reason::device_full);
  outbox_.push_back(std::move(packet));
  ++outbox_size_;
}

bool Stack::Impl::flush_outbox() {
  while (!outbox_.empty()) {
    const auto interface = outbox_.with_front([](Packet& p) { return p.interface(); });
    if (!sink_->ready(interface)) return false;
    --outbox_size_;
    sink_->transmit(outbox_.pop_front());
  }
  return true;
}

// --- Answers without a connection ---------------------------------------------------------------

bool Stack::Impl::may_answer(const Flow& flow, tcp::Answer kind) {
  const auto network = hash_source_prefix(secrets.table, flow.remote.address);
  if (answers_.take(kind, hash_of(flow), network, env.now)) return true;
  switch (kind) {
    case tcp::Answer::reset:
    case tcp::Answer::syn_sent_reset: log.counters().count(Reason::reset_limit); break;
    case tcp::Answer::half_open_ack:  log.counters().count(Reason::challenge_limit); break;
    case tcp::Answer::time_wait_ack:
    case tcp::Answer::fin_again_ack:  log.counters().count(Reason::ack_limit); break;
    case tcp::Answer::echo_reply:     break;  // The ping is dropped for that reason.
  }
  return false;
}

void Stack::Impl::reply(const Flow& flow, wire::TcpHeader header, State state, Reason why,
                        const tcp::Options& options) {
  Packet packet = pool.allocate_gather();
  if (!packet) return log.counters().count(Reason::no_memory);
  header.source = flow.local.port;
  header.destination = flow.remote.port;
  wire::emit_tcp(header, packet.push_front(wire::tcp_size(header)));
  output(std::move(packet), {.flow = flow,
                             .hop_limit = options.hop_limit,
                             .dscp = options.dscp,
                             .before = state,
                             .after = state,
                             .reason = why,
                             .reset = header.flags.rst});
}

// §3.10.7.1: acceptable to whatever sent the segment.
void Stack::Impl::reset_for(const tcp::Segment& seg, State state, Reason why,
                            const tcp::Options& options) {
  if (!may_answer(seg.flow, tcp::Answer::reset)) return;
  wire::TcpHeader h{.flags = {.rst = true}};
  if (seg.flags.ack) h.seq = seg.ack;
  else h.flags.ack = true, h.ack = seg.end();
  reply(seg.flow, h, state, why, options);
}

// --- Endings -------------------------------------------------------------------------------------

void Stack::Impl::process_ended() {
  while (!env.ended.empty() && work.take()) retire(env.ended.pop_front());
}

// CLOSED connections leave the table; what no program holds is destroyed, or shrinks to a record.
void Stack::Impl::retire(std::uint32_t index) {
  tcp::Connection* connection = connections.find(index);
  if (connection == nullptr || !connection->queued_ended) return;
  connection->queued_ended = false;
  if (connection->state() == State::closed) {
    const auto* ref = find(hash_of(connection->flow()), connection->flow());
    if (ref != nullptr && ref->what() == Kind::connection && ref->index == index)
      drop(connection->flow(), Kind::connection, index);
    if (connection->orphan()) destroy(index, *connection);
  } else if (connection->state() == State::time_wait && connection->orphan() &&
             !connection->owes()) {  // Else once it has sent its ACK.
    to_time_wait(index, *connection);
  }
}

void Stack::Impl::to_time_wait(std::uint32_t index, tcp::Connection& connection) {
  const tcp::TimeWait record = connection.remains();
  drop(record.flow, Kind::connection, index);
  destroy(index, connection);
  if (time_wait_.size() >= config.tcp.time_wait_limit ||
      !memory.has_room(tcp::TimeWaitList::bytes_each))
    return log.transition(env.now, record.flow, State::time_wait, State::closed,
                          Reason::time_wait_limit);
  memory.charge(tcp::TimeWaitList::bytes_each);
  put(record.flow, Kind::time_wait, time_wait_.add(record, env.now, config.tcp.time_wait));
}

}  // namespace estab
