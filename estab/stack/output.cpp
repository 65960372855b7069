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
  const bool all = flush_outbox() && send_owed();
  process_ended();
  sink_ = nullptr;
  return all;
}

Instant Stack::Impl::next_deadline() const {
  const bool owing = !outbox_.empty() || !env.owing.empty() || !owed_syn_acks_.empty();
  if (owing) return Instant::min();
  Instant next = std::min({connection_timers.next_deadline(), half_open.next_deadline(),
                           defence_due_, reclaimer.due(memory, orphans)});
  if (const auto first = time_wait_.first(); first != tcp::TimeWait::none)
    next = std::min(next, time_wait_.ends(first, env.now));
  return next;
}

void Stack::Impl::run_timers() {
  while (TimerNode* node = connection_timers.pop_due(env.now))
    static_cast<tcp::Connection*>(node)->timeout(env);
  for (auto at = half_open.pop_due(env.now); at != SynCache::none; at = half_open.pop_due(env.now))
    half_open_timeout(at);
  if (defence_due_ <= env.now) update_defences();
  for (auto first = time_wait_.first();
       first != tcp::TimeWait::none && time_wait_.ends(first, env.now) <= env.now;
       first = time_wait_.first())
    remove_time_wait(first, Reason::time_wait_over);
}

bool Stack::Impl::send_owed() {
  while (!owed_syn_acks_.empty()) {
    const HalfOpenId id = owed_syn_acks_.back();
    if (half_open.find(id.index, id.generation) != SynCache::none) {
      tcp::HalfOpen& record = half_open[id.index];
      tcp::Path path;
      (void)refresh(path, record.flow.remote.address);
      if (!ready(path)) return false;
      record.owed = false;
      Listener& listener = listeners[record.listener];
      const bool again = record.retransmissions > 0;
      if (again) ++listener.syn_acks_retransmitted;
      tcp::send_syn_ack(env, record, listener.options,
                        again ? Reason::retransmit_timeout : Reason::send_syn_ack);
    }
    owed_syn_acks_.pop_back();
  }
  // Those that find no room keep their turn; those that come to owe while we send wait for theirs.
  std::vector<std::uint32_t> turn = std::exchange(env.owing, {});
  std::size_t done = 0;
  for (; done < turn.size(); ++done) {
    tcp::Connection* connection = connections.find(turn[done]);
    if (connection == nullptr) continue;
    connection->queued_owing = false;
    if (connection->transmit(env)) continue;
    connection->queued_owing = true;
    break;
  }
  turn.erase(turn.begin(), turn.begin() + std::ptrdiff_t(done));
  if (turn.empty()) turn.swap(env.owing), turn.clear();
  else turn.insert(turn.end(), env.owing.begin(), env.owing.end()), env.owing.swap(turn);
  return env.owing.empty();
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
      path.gso_max =
          std::min(config.tcp.largest_super_segment, interface.largest_segment - headers);
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

void Stack::Impl::reply(const Flow& flow, wire::TcpHeader header, State state, Reason why) {
  Packet packet = pool.allocate_gather();
  if (!packet) return log.counters().count(Reason::no_memory);
  header.source = flow.local.port;
  header.destination = flow.remote.port;
  wire::emit_tcp(header, packet.push_front(wire::tcp_size(header)));
  output(std::move(packet), {.flow = flow,
                             .hop_limit = config.tcp.defaults.hop_limit,
                             .before = state,
                             .after = state,
                             .reason = why,
                             .reset = header.flags.rst});
}

// §3.10.7.1: acceptable to whatever sent the segment.
void Stack::Impl::reset_for(const tcp::Segment& seg, State state, Reason why) {
  const auto network = hash_source_prefix(secrets.table, seg.flow.remote.address);
  if (!resets_.take(env.now) || !prefix_resets_.take(network, env.now))
    return log.counters().count(Reason::reset_limit);
  wire::TcpHeader h{.flags = {.rst = true}};
  if (seg.flags.ack) h.seq = seg.ack;
  else h.flags.ack = true, h.ack = seg.end();
  reply(seg.flow, h, state, why);
}

// --- Endings -------------------------------------------------------------------------------------

// CLOSED connections leave the table; what no program holds is destroyed, or shrinks to a record.
void Stack::Impl::process_ended() {
  if (env.ended.empty()) return;
  std::vector<std::uint32_t> later;
  for (const std::uint32_t index : std::exchange(env.ended, {})) {
    tcp::Connection* connection = connections.find(index);
    if (connection == nullptr || !connection->queued_ended) continue;
    if (connection->state() == State::time_wait && connection->orphan() && connection->owes()) {
      later.push_back(index);
      continue;
    }
    connection->queued_ended = false;
    if (connection->state() == State::closed) {
      const auto* ref = find(hash_of(connection->flow()), connection->flow());
      if (ref != nullptr && ref->what() == Kind::connection && ref->index == index)
        drop(connection->flow(), Kind::connection, index);
      if (connection->orphan()) destroy(index, *connection);
    } else if (connection->state() == State::time_wait && connection->orphan()) {
      to_time_wait(index, *connection);
    }
  }
  env.ended.insert(env.ended.end(), later.begin(), later.end());
}

void Stack::Impl::to_time_wait(std::uint32_t index, tcp::Connection& connection) {
  const Flow flow = connection.flow();
  const auto remains = connection.remains();
  drop(flow, Kind::connection, index);
  destroy(index, connection);
  if (time_wait_.size() >= config.tcp.time_wait_limit ||
      !memory.has_room(tcp::TimeWaitList::bytes_each))
    return log.transition(env.now, flow, State::time_wait, State::closed, Reason::time_wait_limit);
  tcp::TimeWait record{.flow = flow,
                       .snd_nxt = remains.snd_nxt,
                       .rcv_nxt = remains.rcv_nxt,
                       .ts_recent = remains.ts_recent,
                       .ts_offset = remains.ts_offset};
  record.has_timestamps = remains.timestamps;
  memory.charge(tcp::TimeWaitList::bytes_each);
  put(flow, Kind::time_wait, time_wait_.add(record, env.now, config.tcp.time_wait));
}

}  // namespace estab
