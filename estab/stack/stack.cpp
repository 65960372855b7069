// SPDX-License-Identifier: Apache-2.0
// The face of the stack: each call notes the time, finds what its handle names, and asks that.
#include "estab/stack/stack.hpp"

#include "estab/stack/impl.hpp"

namespace estab {

using NotConnected = std::unexpected<Error>;
constexpr auto stale = Error::not_connected;

Stack::Stack(PacketPool& pool, const StackConfig& config, const Secrets& secrets)
    : impl_(std::make_unique<Impl>(pool, config, secrets)) {}
Stack::~Stack() = default;

std::uint8_t Stack::add_interface(const InterfaceConfig& config) {
  return impl_->ip.add_interface(config);
}
void Stack::add_route(const Route& route) { impl_->ip.add_route(route); }

void Stack::receive(std::span<Packet> batch, Instant now) {
  impl_->begin(now);
  for (auto& packet : batch) impl_->receive(std::move(packet));
}

bool Stack::poll_transmit(PacketSink& sink, Instant now) {
  impl_->begin(now);
  return impl_->poll_transmit(sink);
}

Instant Stack::next_deadline() const { return impl_->next_deadline(); }

// --- Listeners
// --------------------------------------------------------------------------------------

std::expected<ListenerId, Error> Stack::listen(const Endpoint& local, const ListenOptions& options,
                                               Instant now) {
  impl_->begin(now);
  return impl_->listen(local, options);
}

std::expected<ConnectionId, Error> Stack::accept(ListenerId id) {
  Listener* listener = impl_->usable(id);
  if (listener == nullptr) return NotConnected(stale);
  if (listener->accept_queue.empty()) return std::unexpected(Error::would_block);
  const std::uint32_t index = listener->accept_queue.front();
  listener->accept_queue.pop_front();
  impl_->settle(*listener);
  tcp::Connection& connection = impl_->connections[index];
  connection.accepted = true;
  connection.renote(impl_->env);
  return ConnectionId{index, impl_->connections.generation(index)};
}

std::optional<Stack::Deferred> Stack::next_deferred(ListenerId id) {
  Listener* listener = impl_->usable(id);
  while (listener != nullptr && !listener->deferred.empty()) {
    const HalfOpenId first = listener->deferred.pop_front();
    impl_->settle(*listener);
    if (impl_->half_open.find(first.index, first.generation) == SynCache::none) continue;
    tcp::HalfOpen& record = impl_->half_open[first.index];
    if (!record.deferred) continue;
    record.handed_out = true;
    return Deferred{first, record.flow};
  }
  return std::nullopt;
}

std::optional<Stack::DeferralGone> Stack::next_deferral_gone(ListenerId id) {
  Listener* listener = impl_->usable(id);
  if (listener == nullptr || listener->deferrals_gone.empty()) return std::nullopt;
  const DeferralGone gone = listener->deferrals_gone.pop_front();
  impl_->settle(*listener);
  return gone;
}

std::expected<void, Error> Stack::decide(HalfOpenId id, Verdict verdict, Instant now) {
  impl_->begin(now);
  return impl_->decide(id, verdict);
}

void Stack::set_cookie_keys(const tcp::CookieKeys& keys) { impl_->set_cookie_keys(keys); }

std::expected<void, Error> Stack::close(ListenerId id, Instant now) {
  impl_->begin(now);
  if (impl_->usable(id) == nullptr) return NotConnected(stale);
  impl_->close_listener(id.index, true);
  return {};
}

// --- Opening
// ----------------------------------------------------------------------------------------

std::expected<ConnectionId, Error> Stack::connect(const ConnectOptions& options, Instant now) {
  impl_->begin(now);
  return impl_->connect(options, State::closed);
}

std::expected<ConnectionId, Error> Stack::connect(ListenerId id, const Endpoint& remote,
                                                  Instant now) {
  impl_->begin(now);
  const Listener* listener = impl_->usable(id);
  if (listener == nullptr) return NotConnected(stale);
  const ConnectOptions options{
      .remote = remote, .local = listener->local, .options = listener->options};
  auto connection = impl_->connect(options, State::listen);
  if (connection) impl_->close_listener(id.index, false);
  return connection;
}

// --- Connections
// ------------------------------------------------------------------------------------

std::expected<std::size_t, Error> Stack::send(ConnectionId id, Bytes text, SendFlags flags,
                                              Instant now) {
  impl_->begin(now);
  tcp::Connection* connection = impl_->usable(id);
  if (connection == nullptr) return NotConnected(stale);
  return connection->send(impl_->env, text, flags.push, flags.urgent, flags.more);
}

std::expected<std::size_t, Error> Stack::receive(ConnectionId id, MutableBytes out, Instant now) {
  impl_->begin(now);
  tcp::Connection* connection = impl_->usable(id);
  if (connection == nullptr) return NotConnected(stale);
  return connection->receive(impl_->env, out);
}

std::expected<std::size_t, Error> Stack::available(ConnectionId id) const {
  const tcp::Connection* connection = impl_->usable(id);
  if (connection == nullptr) return NotConnected(stale);
  return connection->available();
}

std::expected<void, Error> Stack::shutdown(ConnectionId id, Instant now) {
  impl_->begin(now);
  tcp::Connection* connection = impl_->usable(id);
  if (connection == nullptr) return NotConnected(stale);
  auto result = connection->shutdown(impl_->env);
  impl_->process_ended();
  return result;
}

std::expected<void, Error> Stack::close(ConnectionId id, Instant now) {
  impl_->begin(now);
  tcp::Connection* connection = impl_->usable(id);
  if (connection == nullptr) return NotConnected(stale);
  ++impl_->orphans;
  connection->close(impl_->env);
  impl_->process_ended();
  return {};
}

std::expected<void, Error> Stack::abort(ConnectionId id, Instant now) {
  impl_->begin(now);
  tcp::Connection* connection = impl_->usable(id);
  if (connection == nullptr) return NotConnected(stale);
  ++impl_->orphans;
  connection->abort(impl_->env, Reason::user_abort);
  impl_->process_ended();
  return {};
}

std::expected<ConnectionInfo, Error> Stack::status(ConnectionId id, Instant now) const {
  const tcp::Connection* connection = impl_->usable(id);
  if (connection == nullptr) return NotConnected(stale);
  impl_->env.now = now;
  ConnectionInfo info;
  connection->status(impl_->env, info);
  return info;
}

std::expected<ListenerInfo, Error> Stack::status(ListenerId id) const {
  const Listener* l = impl_->usable(id);
  if (l == nullptr) return NotConnected(stale);
  return l->info(impl_->env.now);
}

Error Stack::error(ConnectionId id) const {
  const tcp::Connection* connection = impl_->usable(id);
  return connection == nullptr ? stale : connection->error();
}

std::expected<std::size_t, Error> Stack::urgent_remaining(ConnectionId id) const {
  const tcp::Connection* connection = impl_->usable(id);
  if (connection == nullptr) return NotConnected(stale);
  return connection->urgent_remaining();
}

std::expected<bool, Error> Stack::at_mark(ConnectionId id) const {
  const tcp::Connection* connection = impl_->usable(id);
  if (connection == nullptr) return NotConnected(stale);
  return connection->at_mark();
}

std::expected<tcp::Options, Error> Stack::options(ConnectionId id) const {
  const tcp::Connection* connection = impl_->usable(id);
  if (connection == nullptr) return NotConnected(stale);
  return connection->options();
}

std::expected<void, Error> Stack::set_options(ConnectionId id, const tcp::Options& options,
                                              Instant now) {
  impl_->begin(now);
  tcp::Connection* connection = impl_->usable(id);
  if (connection == nullptr) return NotConnected(stale);
  connection->set_options(impl_->env, options);
  return {};
}

std::expected<void, Error> Stack::set_user(ConnectionId id, std::uint64_t user) {
  tcp::Connection* connection = impl_->usable(id);
  if (connection == nullptr) return NotConnected(stale);
  connection->user = user;
  return {};
}

std::expected<void, Error> Stack::set_user(ListenerId id, std::uint64_t user) {
  Listener* listener = impl_->usable(id);
  if (listener == nullptr) return NotConnected(stale);
  listener->user = user;
  return {};
}

// --- What there is to say
// -----------------------------------------------------------------------------

bool Stack::next_notice(Notice& notice) {
  impl_->begin(impl_->env.now);
  return impl_->next_notice(notice);
}
EventLog& Stack::log() { return impl_->log; }
const EventLog& Stack::log() const { return impl_->log; }
Snapshot Stack::snapshot(Instant now) const {
  impl_->env.now = now;
  return impl_->snapshot();
}
std::vector<ListenerInfo> Stack::listeners(Instant now) const {
  std::vector<ListenerInfo> all;
  impl_->listeners.for_each([&](auto, const Listener& l) {
    if (!l.closed) all.push_back(l.info(now));
  });
  return all;
}
std::size_t Stack::finishing() const { return impl_->orphans; }
std::uint64_t Stack::memory() const { return impl_->memory.used(); }
std::string Stack::audit() const { return impl_->audit(); }
std::uint32_t Stack::most_work() const { return impl_->work.most(); }
const StackConfig& Stack::config() const { return impl_->config; }

}  // namespace estab
