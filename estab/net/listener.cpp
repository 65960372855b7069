// SPDX-License-Identifier: Apache-2.0
#include "estab/net/listener.hpp"

#include <algorithm>

#include "estab/net/connection.hpp"
#include "estab/net/error.hpp"

namespace estab::net::detail {
namespace asio = boost::asio;

Listener::~Listener() { close(); }

error_code Listener::listen(const Endpoint& local, const ListenOptions& options) {
  core_->check_turn();
  if (core_->ended_by()) return core_->ended_by();
  if (id_) return asio::error::already_open;
  const auto id = core_->stack().listen(local, options, runtime::Shard::now());
  if (!id) return to_error_code(id.error());
  id_ = *id;
  user_ = core_->enroll(*this);
  (void)core_->stack().set_user(*id_, user_);
  core_->shard().hold();
  return {};
}

void Listener::accept(Handler<socket> handler) {
  start({++last_operation_, Pending<socket>{std::move(handler), core_->executor()}});
}

void Listener::accept_into(socket& peer, Handler<> handler) {
  start({++last_operation_, Into{Pending<>{std::move(handler), core_->executor()}, &peer}});
}

void Listener::next_deferred(Handler<acceptor::deferred> handler) {
  start({++last_operation_, Pending<acceptor::deferred>{std::move(handler), core_->executor()}});
}

error_code Listener::decide(HalfOpenId id, Verdict verdict) {
  core_->check_turn();
  const auto done = core_->stack().decide(id, verdict, runtime::Shard::now());
  core_->shard().wake();
  return done ? error_code{} : to_error_code(done.error());
}

void Listener::start(Operation operation) {
  core_->check_turn();
  operations_.push_back(std::move(operation));
  const auto it = std::prev(operations_.end());
  if (!id_) {
    fail(*it, asio::error::bad_descriptor);
    operations_.erase(it);
    return;
  }
  const auto cancel = [weak = weak_from_this(), id = it->id] {
    if (const auto self = weak.lock()) self->cancel_one(id);
  };
  if (auto* into = std::get_if<Into>(&it->what)) into->pending.on_cancel(cancel);
  else if (auto* accept = std::get_if<Pending<socket>>(&it->what)) accept->on_cancel(cancel);
  else std::get<Pending<acceptor::deferred>>(it->what).on_cancel(cancel);
  progress();
}

void Listener::progress() {
  for (auto it = operations_.begin(); it != operations_.end();)
    it = attempt(*it) ? operations_.erase(it) : std::next(it);
}

bool Listener::attempt(Operation& operation) {
  const auto& io = core_->executor();
  if (auto* deferred = std::get_if<Pending<acceptor::deferred>>(&operation.what)) {
    const auto next = core_->stack().next_deferred(*id_);
    if (next)
      deferred->post(io, {}, {from_core(next->flow.local), from_core(next->flow.remote), next->id});
    return next.has_value();
  }
  const auto id = core_->stack().accept(*id_);
  if (!id) {
    if (id.error() == Error::would_block) return false;
    return fail(operation, to_error_code(id.error())), true;
  }
  auto connection = std::make_shared<Connection>(core_);
  connection->adopt(*id);
  socket accepted{core_, std::move(connection)};
  if (auto* into = std::get_if<Into>(&operation.what)) {
    *into->peer = std::move(accepted);
    into->pending.post(io, {});
  } else {
    std::get<Pending<socket>>(operation.what).post(io, {}, std::move(accepted));
  }
  return true;
}

void Listener::fail(Operation& operation, error_code why) {
  const auto& io = core_->executor();
  if (auto* into = std::get_if<Into>(&operation.what)) into->pending.post(io, why);
  else if (auto* accept = std::get_if<Pending<socket>>(&operation.what))
    accept->post(io, why, socket{core_, nullptr});
  else std::get<Pending<acceptor::deferred>>(operation.what).post(io, why, {});
}

void Listener::cancel_one(std::uint64_t id) {
  core_->check_turn();
  const auto it = std::find_if(operations_.begin(), operations_.end(),
                               [&](const auto& o) { return o.id == id; });
  if (it == operations_.end()) return;
  fail(*it, asio::error::operation_aborted);
  operations_.erase(it);
}

void Listener::cancel_all(error_code why) {
  for (auto& operation : operations_) fail(operation, why);
  operations_.clear();
}

void Listener::cancel() {
  core_->check_turn();
  cancel_all(asio::error::operation_aborted);
}

void Listener::close() {
  cancel_all(asio::error::operation_aborted);
  if (!id_) return;
  (void)core_->stack().close(*std::exchange(id_, std::nullopt), runtime::Shard::now());
  core_->dismiss(std::exchange(user_, 0));
  core_->shard().release();
  core_->shard().wake();
}

std::expected<ListenerInfo, Error> Listener::status() const {
  if (!id_) return std::unexpected{Error::not_connected};
  return core_->stack().status(*id_);
}

void Listener::notice(const Notice&) {
  const auto self = shared_from_this();
  progress();
}

void Listener::host_ended(error_code why) {
  const auto self = shared_from_this();
  cancel_all(why);
  close();
}

void Listener::discard() {
  const auto self = shared_from_this();
  const Operations doomed = std::move(operations_);  // A handler may own the acceptor.
  operations_.clear();
  close();
}

}  // namespace estab::net::detail
