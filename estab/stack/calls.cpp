// SPDX-License-Identifier: Apache-2.0
// The user calls on listeners and the opening of connections (RFC 9293 §3.10.1), and the books.
#include "estab/stack/impl.hpp"

namespace estab {

Stack::Impl::Impl(PacketPool& p, const StackConfig& c, const Secrets& s)
    : pool(p),
      config(c),
      secrets(s),
      memory(c.tcp.memory_limit),
      env{config.tcp, secrets, pool, log, memory, *this, connection_timers},
      reclaimer(secrets.table, config.tcp),
      cookies_({.master = s.cookies, .previous = {}}),
      unanswered_(c.tcp.prefix_syn_ack_rate),
      answers_(c.tcp, c.echo_reply_rate, s.table[0]),
      next_port_(std::uint32_t(s.ports[0])) {
  memory.charge(demux_bytes_);
}

Stack::Impl::~Impl() {
  connections.for_each([&](auto, tcp::Connection& c) { c.release(env); });
}

// --- The table
// ------------------------------------------------------------------------------------

const Flow& Stack::Impl::flow_of(Demux::Ref ref) const {
  switch (ref.what()) {
    case Kind::connection: return connections[ref.index].flow();
    case Kind::time_wait:  return time_wait_[ref.index].flow;
  }
  std::unreachable();
}

Demux::Ref* Stack::Impl::find(std::uint64_t hash, const Flow& flow) {
  return demux_.find(std::uint32_t(hash), [&](Demux::Ref ref) { return flow_of(ref) == flow; });
}

bool Stack::Impl::taken(const Flow& flow) {
  const std::uint64_t hash = hash_of(flow);
  return find(hash, flow) != nullptr || half_open.find(hash, flow) != SynCache::none;
}

void Stack::Impl::put(const Flow& flow, Kind kind, std::uint32_t index) {
  const std::uint64_t moved = demux_.moved();
  demux_.insert(std::uint32_t(hash_of(flow)), kind, index);
  settle_table(moved);
}

void Stack::Impl::drop(const Flow& flow, Kind kind, std::uint32_t index) {
  const std::uint64_t moved = demux_.moved();
  demux_.erase(std::uint32_t(hash_of(flow)), kind, index);
  settle_table(moved);
}

// The books follow the table's size, the call's work what it moved.
void Stack::Impl::settle_table(std::uint64_t moved_before) {
  work.count(demux_.moved() - moved_before);
  memory.charge(demux_.bytes());
  memory.release(demux_bytes_);
  demux_bytes_ = demux_.bytes();
}

void Stack::Impl::destroy(std::uint32_t index, tcp::Connection& connection) {
  if (connection.orphan()) --orphans;
  connection.release(env);
  connections.erase(index);
}

// --- Listeners
// ------------------------------------------------------------------------------------

// The most particular one: this address, else any address of the family, else any at all.
std::optional<std::uint32_t> Stack::Impl::find_listener(const Endpoint& local) const {
  std::optional<std::uint32_t> found;
  int best = 0;
  const auto [first, last] = listening_.equal_range(local.port);
  for (auto it = first; it != last; ++it) {
    const Address& a = listeners[it->second].local.address;
    const int fit = a == local.address                                         ? 3
                    : a.is_v4() && a.is_unspecified() && local.address.is_v4() ? 2
                    : a == Address{}                                           ? 1
                                                                               : 0;
    if (fit > best) best = fit, found = it->second;
  }
  return found;
}

std::expected<ListenerId, Error> Stack::Impl::listen(Endpoint local, const ListenOptions& options) {
  if (!local.address.is_unspecified() && !ip.is_ours(local.address))
    return std::unexpected(Error::address_not_available);
  if (number(local.port) == 0) {
    const auto port =
        ephemeral_port({local, {}}, [&](Port free) { return !listening_.contains(free); });
    if (!port) return std::unexpected(port.error());
    local.port = *port;
  }
  const auto [first, last] = listening_.equal_range(local.port);
  for (auto it = first; it != last; ++it)
    if (listeners[it->second].local == local) return std::unexpected(Error::in_use);
  half_open.reserve(config.tcp.half_open_limit);
  if (!known_) known_.emplace(secrets.table);
  const auto [name, listener] =
      listeners.emplace(hash_of({local, {}}), config.tcp.cookie_check_rate);
  listener->index = name.index;
  listener->local = local;
  listener->rules = options;
  listener->options = options.options.value_or(config.tcp.defaults);
  listening_.emplace(local.port, name.index);
  settle(*listener);
  log.transition(env.now, {local, {}}, State::closed, State::listen, Reason::user_passive_open);
  return ListenerId{name.index, name.generation};
}

// Half-open peers and those not accepted are reset (§3.10.4, LISTEN; §3.10.5).
void Stack::Impl::close_listener(std::uint32_t index, bool tell) {
  Listener& listener = listeners[index];
  const auto [first, last] = listening_.equal_range(listener.local.port);
  listening_.erase(
      std::find_if(first, last, [&](const auto& entry) { return entry.second == index; }));
  if (tell)
    log.transition(env.now, {listener.local, {}}, State::listen, State::closed, Reason::user_close);
  listener.closed = true;
  closing_.push_back(index);
  close_more();
  process_ended();
}

// Lets go of what closed listeners hold, as far as the call's work allows.
void Stack::Impl::close_more() {
  for (; !closing_.empty(); closing_.pop_front(), closing_at_ = 0) {
    const std::uint32_t index = closing_.front();
    Listener& listener = listeners[index];
    while (!listener.accept_queue.empty()) {
      if (!work.take()) return;
      ++orphans;
      connections[listener.accept_queue.front()].abort(env, Reason::listener_closed);
      listener.accept_queue.pop_front();
    }
    for (; listener.half_open > 0; ++closing_at_) {
      if (!work.take()) return;
      if (!half_open.holds(closing_at_) || half_open[closing_at_].listener != index) continue;
      const tcp::HalfOpen& record = half_open[closing_at_];
      if (may_answer(record.flow, tcp::Answer::reset))
        reply(record.flow,
              {.seq = record.iss + 1, .ack = record.irs + 1, .flags = {.rst = true, .ack = true}},
              State::syn_received, Reason::listener_closed, listener.options);
      remove_half_open(closing_at_, State::closed, Reason::listener_closed);
    }
    memory.release(listener.charged);
    listeners.erase(index);
  }
}

bool Stack::Impl::make_room_for(std::size_t bytes) {
  if (memory.has_room(bytes)) return true;
  reclaimer.step(connections, env, orphans);
  return memory.has_room(bytes);
}

void Stack::Impl::settle(Listener& listener) {
  memory.release(listener.charged);
  memory.charge(listener.charged = listener.true_size());
}

// --- Active opens
// ---------------------------------------------------------------------------------

std::expected<ConnectionId, Error> Stack::Impl::connect(const ConnectOptions& options, State from) {
  const Endpoint& remote = options.remote;
  if (ip.is_no_host(remote.address) || number(remote.port) == 0)  // MUST-46.
    return std::unexpected(Error::invalid_argument);
  Flow flow{options.local, remote};
  const auto source = ip.source_for(remote.address);
  if (flow.local.address.is_unspecified()) {  // MUST-44.
    if (!source) return std::unexpected(Error::no_route);
    flow.local.address = *source;
  } else if (!ip.is_ours(flow.local.address)) {
    return std::unexpected(Error::address_not_available);
  }
  if (flow.local.address.is_v4() != remote.address.is_v4())
    return std::unexpected(Error::invalid_argument);
  if (!ip.route(remote.address)) return std::unexpected(Error::no_route);
  if (ip.is_ours(remote.address))
    return std::unexpected(Error::invalid_argument);  // No self-connect.
  const auto port = choose_port(flow);
  if (!port) return std::unexpected(port.error());
  flow.local.port = *port;
  if (!make_room_for(Slab<tcp::Connection>::bytes_each)) {
    log.counters().count(Reason::memory_limit);
    return std::unexpected(Error::no_memory);
  }
  const auto [name, connection] =
      connections.emplace(env, flow, options.options.value_or(config.tcp.defaults));
  connection->set_index(name.index);
  put(flow, Kind::connection, name.index);
  connection->open(env, from);
  return ConnectionId{name.index, name.generation};
}

std::expected<Port, Error> Stack::Impl::choose_port(Flow flow) {
  if (number(flow.local.port) != 0) {
    if (taken(flow)) return std::unexpected(Error::in_use);
    return flow.local.port;
  }
  return ephemeral_port(flow, [&](Port free) {
    flow.local.port = free;
    return !listening_.contains(free) && !taken(flow);
  });
}

// RFC 6056 §3.3.3: a keyed start per peer, then upwards.
template <class Usable>
std::expected<Port, Error> Stack::Impl::ephemeral_port(const Flow& flow, Usable&& usable) {
  const std::uint32_t first = config.first_ephemeral;
  const std::uint32_t count = config.last_ephemeral - first + 1u;
  const auto start = std::uint32_t(tcp::hash_flow(secrets.ports, flow)) + next_port_;
  for (std::uint32_t i = 0; i < count; ++i) {
    const Port port = Port(first + (start + i) % count);
    if (!usable(port)) continue;
    next_port_ += i + 1;
    return port;
  }
  return std::unexpected(Error::no_ports);
}

// --- Notices, and what there is
// ----------------------------------------------------------------------

tcp::Connection* Stack::Impl::usable(ConnectionId id) const {
  tcp::Connection* connection = connections.find(id.index, id.generation);
  return connection != nullptr && !connection->orphan() && connection->accepted ? connection
                                                                                : nullptr;
}

Listener* Stack::Impl::usable(ListenerId id) const {
  Listener* listener = listeners.find(id.index, id.generation);
  return listener != nullptr && !listener->closed ? listener : nullptr;
}

void Stack::Impl::note_listener(std::uint32_t index, std::uint16_t bits) {
  if (std::exchange(listeners[index].notices, listeners[index].notices | bits) == 0)
    noting_listeners_.push_back(index);
}

bool Stack::Impl::next_notice(Notice& notice) {
  while (!noting_listeners_.empty()) {
    const std::uint32_t index = noting_listeners_.pop_front();
    Listener* listener = listeners.find(index);
    if (listener == nullptr || listener->closed || listener->notices == 0) continue;
    notice = {.connection = {},
              .listener = {index, listeners.generation(index)},
              .user = listener->user,
              .bits = std::exchange(listener->notices, 0)};
    return true;
  }
  pass_over_silent();
  if (notices_cut_ || env.noting.empty()) return false;
  const std::uint32_t index = env.noting.pop_front();
  tcp::Connection& connection = connections[index];
  connection.queued_noting = false;
  notice = {.connection = {index, connections.generation(index)},
            .listener = {},
            .user = connection.user,
            .bits = connection.take_notices(),
            .error = connection.error()};
  return true;
}

// Connections that are gone, or that the program has let go of, have nothing to tell any more.
void Stack::Impl::pass_over_silent() {
  notices_cut_ = false;
  while (!env.noting.empty()) {
    tcp::Connection* connection = connections.find(env.noting.front());
    const bool queued = connection != nullptr && connection->queued_noting;
    if (queued && !connection->orphan() && connection->has_notices()) return;
    if (!work.take()) return void(notices_cut_ = true);
    if (queued) connection->queued_noting = false;
    env.noting.pop_front();
  }
}

Snapshot Stack::Impl::snapshot() const {
  Snapshot s;
  s.at = env.now;
  s.counters = log.counters();
  s.memory = memory.used();
  s.memory_limit = memory.limit();
  s.memory_is_short = memory.pressure() != tcp::MemoryPressure::none;
  s.orphans = orphans;
  s.orphan_limit = reclaimer.orphan_limit();
  listeners.for_each([&](auto, const Listener& l) {
    if (!l.closed) s.listeners.push_back(l.info(env.now));
  });
  connections.for_each([&](auto, const tcp::Connection& c) {
    if (c.state() != State::closed) c.status(env, s.connections.emplace_back());
  });
  half_open.for_each([&](auto, const tcp::HalfOpen& h) {
    s.half_open.push_back({.flow = h.flow,
                           .age = env.now - h.opened,
                           .retransmissions = h.retransmissions,
                           .deferred = h.deferred});
  });
  time_wait_.for_each([&](const tcp::TimeWait& t, std::uint32_t index) {
    s.time_wait.push_back({.flow = t.flow, .left = time_wait_.ends(index, env.now) - env.now});
  });
  return s;
}

}  // namespace estab
