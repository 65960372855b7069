// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/shield_server.hpp"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

#include "estab/cli/proxy_header.hpp"
#include "estab/host/entropy.hpp"
#include "estab/runtime/shard.hpp"

namespace estab::cli {
namespace asio = boost::asio;
using asio::redirect_error;
using asio::use_awaitable;
using net::error_code;
using KernelSocket = asio::ip::tcp::socket;

namespace {

using quick_ack = asio::detail::socket_option::boolean<IPPROTO_TCP, TCP_QUICKACK>;
using user_timeout = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_USER_TIMEOUT>;
constexpr auto abort_patience = 1s;  // For resets to be on their way.

std::string plural(std::uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace

// One client and its connection to the server. It lives in its coroutine.
class ShieldServer::Passage : public std::enable_shared_from_this<Passage> {
 public:
  Passage(std::shared_ptr<ShieldServer> server, net::socket client, const Flow& flow)
      : server_(std::move(server)),
        flow_(flow),
        client_(std::move(client)),
        backend_(client_.get_executor()),
        patience_(client_.get_executor()) {
    server_->passages_.insert(this);
  }
  ~Passage() {
    server_->passages_.erase(this);
    server_->gate_.leave(flow_.remote.address);
  }
  Passage(Passage&&) = delete;

  static asio::awaitable<void> run(std::shared_ptr<Passage> self) {
    const bool opened = co_await self->open();  // GCC 12 miscompiles it inside the condition.
    if (opened) co_await self->pass();
  }
  void abort() {
    aborted_ = true;
    client_.abort();
    net::relay_abort(backend_);
  }

 private:
  // False: there is no server, and the client was told so by a reset.
  asio::awaitable<bool> open() {
    auto error = co_await connect();
    if (!error && server_->settings_.proxy_protocol) {
      const auto header = proxy_header(flow_);
      co_await asio::async_write(backend_, asio::buffer(header),
                                 redirect_error(use_awaitable, error));
    }
    if (aborted_) ++server_->counters_.cut_off;
    else if (error) server_->cannot_reach(error);
    else server_->reached();
    if (error || aborted_) abort();
    co_return !aborted_;
  }

  asio::awaitable<error_code> connect() {
    patience_.expires_after(server_->settings_.connect_timeout);
    patience_.async_wait([weak = weak_from_this()](error_code cancelled) {
      const auto self = weak.lock();
      if (cancelled || !self || !self->connecting_) return;
      self->connecting_ = false;
      error_code ignored;
      self->backend_.close(ignored);
    });
    error_code error, ignored;
    if (client_.available() > 0) {
      // The client speaks first: its text goes out with the ACK that ends the handshake.
      backend_.open(net::from_core(server_->settings_.to).protocol(), ignored);
      backend_.set_option(quick_ack(false), ignored);
    }
    connecting_ = true;
    co_await backend_.async_connect(net::from_core(server_->settings_.to),
                                    redirect_error(use_awaitable, error));
    if (!std::exchange(connecting_, false)) error = asio::error::timed_out;
    patience_.cancel();
    backend_.set_option(asio::ip::tcp::no_delay(true), ignored);
    backend_.set_option(user_timeout(int(client_.options().user_timeout.count())), ignored);
    co_return error;
  }

  asio::awaitable<void> pass() {
    const auto& times = server_->settings_.server;
    const net::relay_options options{.idle = times.idle, .first = times.request};
    const auto [error, counts] =
        co_await net::relay(client_, backend_, options, asio::as_tuple(use_awaitable));
    if (aborted_ && error) ++server_->counters_.cut_off;
    else server_->count_end(flow_.remote, error, counts);
  }

  std::shared_ptr<ShieldServer> server_;
  Flow flow_;
  net::socket client_;
  KernelSocket backend_;
  asio::steady_timer patience_;
  bool connecting_ = false, aborted_ = false;
};

ShieldServer::ShieldServer(Session& session, const ShieldSettings& settings,
                           const ShieldLimits& limits)
    : session_(session),
      settings_(settings),
      gate_(limits, host::draw_random<HashKey>()),
      journal_(session.context()) {
  for (const auto& end : settings_.listen)
    acceptors_.emplace_back(session.host(), net::from_core(end),
                            ListenOptions{.backlog = 4096, .half_open_limit = 8192});
}

asio::awaitable<void> ShieldServer::run() {
  for (auto& acceptor : acceptors_)
    asio::co_spawn(session_.context(), accept(shared_from_this(), acceptor), asio::detached);
  co_await session_.interrupted();
  for (auto& acceptor : acceptors_) acceptor.close();
  co_await drain();
}

asio::awaitable<void> ShieldServer::accept(std::shared_ptr<ShieldServer> self,
                                           net::acceptor& acceptor) {
  for (;;) {
    auto [error, client] = co_await acceptor.async_accept(asio::as_tuple(use_awaitable));
    if (error == asio::error::operation_aborted) co_return;
    if (error)
      co_return self->session_.fail("the device has failed: " + error.message() +
                                    "\nStart estab again when it is there.");
    self->admit(std::move(client));
  }
}

void ShieldServer::admit(net::socket client) {
  error_code gone;
  const Flow flow{net::to_core(client.local_endpoint(gone)),
                  net::to_core(client.remote_endpoint(gone))};
  if (gone) return;
  const auto admission = gate_.enter(flow.remote.address, runtime::Shard::now());
  if (admission != Admission::admitted) return refuse(client, flow.remote, admission);
  ++counters_.admitted;
  asio::co_spawn(
      session_.context(),
      Passage::run(std::make_shared<Passage>(shared_from_this(), std::move(client), flow)),
      asio::detached);
}

void ShieldServer::refuse(net::socket& client, const Endpoint& peer, Admission why) {
  client.abort();
  const auto& limits = gate_.limits();
  const auto network =
      source_prefix(peer.address).to_string() + (peer.address.is_v4() ? "/24" : "/56");
  switch (why) {
    case Admission::admitted: return;
    case Admission::too_many:
      ++counters_.over_max;
      return journal_.say("max",
                          fmt::format("{} is reset: {} are open, the limit", peer.to_string(),
                                      plural(limits.max_connections, "connection")));
    case Admission::prefix_full:
      ++counters_.over_prefix;
      return journal_.say(
          "prefix",
          fmt::format("{} is reset: {} from {} are open, the limit for a network", peer.to_string(),
                      plural(limits.per_prefix, "connection"), network));
    case Admission::prefix_too_fast:
      ++counters_.over_rate;
      return journal_.say(
          "rate",
          fmt::format("{} is reset: {} a second came from {}, the limit for a network",
                      peer.to_string(), plural(limits.rate_per_prefix, "connection"), network));
  }
}

void ShieldServer::count_end(const Endpoint& client, const error_code& error,
                             const net::relay_counts& counts) {
  const bool overdue = error == asio::error::timed_out;
  const auto server = settings_.to.to_string();
  if (!error) {
    ++counters_.finished;
  } else if (counts.failed_by == net::relay_side::neither) {
    const auto idle = settings_.server.idle, request = settings_.server.request;
    const bool request_first = request > Duration{} && (idle == Duration{} || request < idle);
    const bool silent = counts.a_to_b + counts.b_to_a == 0;
    ++(silent && request_first ? counters_.no_request : counters_.idle);
  } else if (counts.failed_by == net::relay_side::a && error == asio::error::connection_aborted) {
    ++counters_.for_memory;
    journal_.say("memory",
                 client.to_string() +
                     " made no progress, and memory is short; it is reset, so that others "
                     "may come");
  } else if (counts.failed_by == net::relay_side::a) {
    ++(overdue ? counters_.stuck_client : counters_.reset_by_client);
    if (overdue)
      journal_.say("stuck client",
                   client.to_string() + " acknowledged no byte in time; it is reset");
  } else if (overdue) {
    ++counters_.stuck_server;
    journal_.say("stuck server", server + " acknowledged no byte in time; its client is reset");
  } else {
    ++counters_.reset_by_server;
    journal_.say("broken", fmt::format("{} has broken off a connection: {}; its client is reset",
                                       server, error.message()));
  }
}

void ShieldServer::cannot_reach(const error_code& error) {
  ++counters_.no_server;
  server_is_away_ = true;
  journal_.say("server", fmt::format("cannot reach {}: {}; the client is reset",
                                     settings_.to.to_string(), error.message()));
}

void ShieldServer::reached() {
  if (std::exchange(server_is_away_, false))
    journal_.say("back", settings_.to.to_string() + " answers again");
}

// --- The end -------------------------------------------------------------------------------------

asio::awaitable<void> ShieldServer::drain() {
  const auto until = asio::steady_timer::clock_type::now() + settings_.drain;
  if (!passages_.empty())
    fmt::print(stderr, "estab: no longer listening; {} may finish\n",
               plural(passages_.size(), "connection"));
  co_await until_empty(settings_.drain);
  auto left = passages_.size();
  for (Passage* passage : passages_) passage->abort();
  co_await until_empty(abort_patience);
  // What both sides have ended may still be on its way to the client.
  left += co_await session_.drained(
      std::max<Duration>(until - asio::steady_timer::clock_type::now(), 0s));
  if (left > 0)
    fmt::print(stderr, "estab: {} did not finish in time and {} reset\n",
               plural(left, "connection"), left == 1 ? "is" : "are");
  if (counters_.admitted > 0) fmt::print(stderr, "estab: {}\n", summary(counters_));
}

asio::awaitable<void> ShieldServer::until_empty(Duration at_most) {
  const auto until = asio::steady_timer::clock_type::now() + at_most;
  asio::steady_timer pause(session_.context());
  while (!passages_.empty() && asio::steady_timer::clock_type::now() < until) {
    pause.expires_after(10ms);
    co_await pause.async_wait(use_awaitable);
  }
}

std::string summary(const ShieldCounters& c) {
  std::string text = plural(c.admitted, "connection");
  const auto add = [&](std::uint64_t count, std::string_view what) {
    if (count > 0) text += fmt::format(", {} {}", count, what);
  };
  add(c.finished, "ended by both sides");
  add(c.reset_by_client, "reset by the client");
  add(c.reset_by_server, "broken off by the server");
  add(c.idle, "idle too long");
  add(c.no_request, "without a request");
  add(c.stuck_client, "with a client that acknowledged no byte");
  add(c.stuck_server, "with a server that acknowledged no byte");
  add(c.for_memory, "ended for want of memory");
  add(c.no_server, "without a server");
  add(c.cut_off, "cut off at the end");
  const auto refused = c.over_max + c.over_prefix + c.over_rate;
  if (refused == 0) return text;
  text += fmt::format("; {} refused", refused);
  add(c.over_max, "over the limit of all");
  add(c.over_prefix, "over a network's");
  add(c.over_rate, "over a network's rate");
  return text;
}

}  // namespace estab::cli
