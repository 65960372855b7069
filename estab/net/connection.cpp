// SPDX-License-Identifier: Apache-2.0
#include "estab/net/connection.hpp"

#include <algorithm>

#include "estab/net/error.hpp"

namespace estab::net::detail {
namespace asio = boost::asio;

Connection::~Connection() { close(); }

void Connection::adopt(ConnectionId id) {
  connected_ = true;
  open(id);
}

void Connection::open(ConnectionId id) {
  id_ = id;
  user_ = core_->enroll(*this);
  (void)core_->stack().set_user(id, user_);
  if (const auto info = status()) flow_ = info->flow;
  core_->shard().hold();
  held_ = true;
}

void Connection::note_end(Error error) {
  // Nothing more will come: the context need not run for it.
  if (std::exchange(held_, false)) core_->shard().release();
  if (error != Error::none && !std::exchange(ended_, true)) failure_ = to_error_code(error);
}

void Connection::drop() {
  if (!id_) return;
  id_.reset();
  flow_.reset();
  linger_timer_.reset();
  connected_ = ended_ = read_shut_ = false;
  failure_ = {};
  core_->dismiss(std::exchange(user_, 0));
  if (std::exchange(held_, false)) core_->shard().release();
  core_->shard().wake();
}

// --- Starting operations ---------------------------------------------------------------------

void Connection::connect(const endpoint& remote, const std::optional<Endpoint>& local,
                         Handler<> handler) {
  Pending<> pending{std::move(handler), core_->executor()};
  const auto refuse = [&](error_code why) { pending.post(core_->executor(), why); };
  if (core_->ended_by()) return refuse(core_->ended_by());
  if (id_)
    return refuse(connected_ ? asio::error::already_connected : asio::error::already_started);
  const auto id = core_->stack().connect(
      {.remote = to_core(remote), .local = local.value_or(Endpoint{}), .options = wanted_options_},
      runtime::Shard::now());
  if (!id) return refuse(to_error_code(id.error()));
  open(*id);
  start({++last_operation_, Kind::connect, std::move(pending)});
  core_->shard().wake();
}

void Connection::read(const MutableBuffers& buffers, IoHandler handler) {
  start({++last_operation_, Kind::read, Pending<std::size_t>{std::move(handler), core_->executor()},
         buffers});
}

void Connection::write(Kind kind, const ConstBuffers& buffers, IoHandler handler) {
  start({++last_operation_, kind, Pending<std::size_t>{std::move(handler), core_->executor()},
         buffers});
}

void Connection::wait(Kind kind, Handler<> handler) {
  start({++last_operation_, kind, Pending<>{std::move(handler), core_->executor()}});
}

void Connection::linger(Duration time, Handler<> handler) {
  cancel_all(asio::error::operation_aborted);
  start({++last_operation_, Kind::linger, Pending<>{std::move(handler), core_->executor()}});
  if (operations_.empty()) return end_linger();
  linger_timer_ = std::make_unique<asio::steady_timer>(core_->executor(), time);
  linger_timer_->async_wait([self = shared_from_this()](error_code error) {
    if (error || self->operations_.empty()) return;
    self->complete(self->operations_.front(), {asio::error::timed_out});
    self->operations_.clear();
    self->end_linger();
  });
}

void Connection::end_linger() { close(); }

void Connection::start(Operation operation) {
  core_->check_turn();
  operations_.push_back(std::move(operation));
  const auto it = std::prev(operations_.end());
  if (!must_queue(it)) {
    if (const auto outcome = attempt(*it)) {
      complete(*it, *outcome);
      operations_.erase(it);
      return forget_told_failure();
    }
  }
  const auto cancel = [weak = weak_from_this(), id = it->id] {
    if (const auto self = weak.lock()) self->cancel_one(id);
  };
  std::visit([&](auto& pending) { pending.on_cancel(cancel); }, it->pending);
}

// --- Completing them -------------------------------------------------------------------------

bool Connection::must_queue(Operations::const_iterator operation) const {
  const auto lane = [](Kind kind) { return kind == Kind::write_urgent ? Kind::write : kind; };
  if (lane(operation->kind) != Kind::read && lane(operation->kind) != Kind::write) return false;
  return std::any_of(operations_.begin(), operation,
                     [&](const auto& o) { return lane(o.kind) == lane(operation->kind); });
}

void Connection::progress() {
  for (auto it = operations_.begin(); it != operations_.end();) {
    const auto outcome = must_queue(it) ? std::nullopt : attempt(*it);
    if (!outcome) {
      ++it;
      continue;
    }
    complete(*it, *outcome);
    it = operations_.erase(it);
  }
  forget_told_failure();
}

void Connection::complete(Operation& operation, const Outcome& outcome) {
  const auto& io = core_->executor();
  if (auto* plain = std::get_if<Pending<>>(&operation.pending)) plain->post(io, outcome.error);
  else std::get<Pending<std::size_t>>(operation.pending).post(io, outcome.error, outcome.octets);
}

void Connection::forget_told_failure() {
  if (std::exchange(told_, false)) failure_ = asio::error::not_connected;
}

void Connection::cancel_all(error_code why) {
  for (auto& operation : operations_) complete(operation, {why});
  operations_.clear();
}

void Connection::cancel_one(std::uint64_t id) {
  core_->check_turn();
  const auto it = std::find_if(operations_.begin(), operations_.end(),
                               [&](const auto& o) { return o.id == id; });
  if (it == operations_.end()) return;
  const auto kind = it->kind;
  complete(*it, {asio::error::operation_aborted});
  operations_.erase(it);
  if (kind == Kind::connect) abort();
  if (kind == Kind::linger) end_linger();
}

void Connection::notice(const Notice& notice) {
  const auto self = shared_from_this();
  if (notice.bits & estab::notice::connected) connected_ = true;
  if (notice.error != Error::none) complaint_ = to_error_code(notice.error);
  if (notice.bits & estab::notice::closed) note_end(notice.error);
  const bool connecting = !connected_;
  const bool lingering = linger_timer_ != nullptr;
  progress();
  if ((connecting && ended_) || (lingering && operations_.empty())) close();
}

void Connection::host_ended(error_code why) {
  const auto self = shared_from_this();
  cancel_all(why);
  abort();
}

void Connection::discard() {
  const auto self = shared_from_this();
  // A handler may own the last socket that leads here.
  const Operations doomed = std::move(operations_);
  operations_.clear();
  abort();
}

// --- Calls that complete at once -------------------------------------------------------------

Connection::Outcome Connection::try_read(const MutableBuffers& buffers) {
  core_->check_turn();
  const auto outcome = attempt_read(buffers);
  forget_told_failure();
  return outcome.value_or(Outcome{asio::error::would_block});
}

Connection::Outcome Connection::try_write(const ConstBuffers& buffers) {
  core_->check_turn();
  const auto outcome = attempt_write(buffers, false);
  forget_told_failure();
  return outcome.value_or(Outcome{asio::error::would_block});
}

error_code Connection::shutdown(asio::socket_base::shutdown_type what) {
  core_->check_turn();
  if (!id_ || !connected_) return asio::error::not_connected;
  if (what != asio::socket_base::shutdown_send) read_shut_ = true;
  error_code error;
  if (what != asio::socket_base::shutdown_receive)
    if (const auto done = core_->stack().shutdown(*id_, runtime::Shard::now()); !done)
      error = to_error_code(done.error());
  progress();
  core_->shard().wake();
  return error;
}

void Connection::close() {
  cancel_all(asio::error::operation_aborted);
  if (id_) (void)core_->stack().close(*id_, runtime::Shard::now());
  drop();
}

void Connection::abort() {
  cancel_all(asio::error::operation_aborted);
  if (id_) (void)core_->stack().abort(*id_, runtime::Shard::now());
  drop();
}

void Connection::cancel() {
  core_->check_turn();
  const bool connecting = id_ && !connected_;
  cancel_all(asio::error::operation_aborted);
  if (connecting) abort();
}

tcp::Options Connection::options() const {
  if (id_)
    if (const auto options = core_->stack().options(*id_)) return *options;
  return wanted_options_.value_or(core_->stack().config().tcp.defaults);
}

error_code Connection::set_options(const tcp::Options& options) {
  core_->check_turn();
  wanted_options_ = options;
  if (!id_) return {};
  const auto done = core_->stack().set_options(*id_, options, runtime::Shard::now());
  core_->shard().wake();
  return done ? error_code{} : to_error_code(done.error());
}

std::expected<ConnectionInfo, Error> Connection::status() const {
  if (!id_) return std::unexpected{Error::not_connected};
  return core_->stack().status(*id_, runtime::Shard::now());
}

std::expected<std::size_t, Error> Connection::available() const {
  if (!id_) return std::unexpected{Error::not_connected};
  return core_->stack().available(*id_);
}

std::expected<std::size_t, Error> Connection::urgent_remaining() const {
  if (!id_) return std::unexpected{Error::not_connected};
  return core_->stack().urgent_remaining(*id_);
}

std::expected<bool, Error> Connection::at_mark() const {
  if (!id_) return std::unexpected{Error::not_connected};
  return core_->stack().at_mark(*id_);
}

}  // namespace estab::net::detail
