// SPDX-License-Identifier: Apache-2.0
// A listener of an acceptor and the accepts that wait for it, served in the order they started.
#pragma once
#include <boost/asio/recycling_allocator.hpp>
#include <list>
#include <optional>
#include <variant>

#include "estab/net/acceptor.hpp"
#include "estab/net/host_core.hpp"
#include "estab/net/pending.hpp"

namespace estab::net::detail {

class Listener : public std::enable_shared_from_this<Listener>, public Notified {
 public:
  explicit Listener(std::shared_ptr<HostCore> core) : core_(std::move(core)) {}
  ~Listener() override;

  error_code listen(const Endpoint& local, const ListenOptions& options);
  [[nodiscard]] bool is_open() const { return id_.has_value(); }

  void accept(Handler<socket> handler);
  void accept_into(socket& peer, Handler<> handler);
  void next_deferred(Handler<acceptor::deferred> handler);
  error_code decide(HalfOpenId id, Verdict verdict);
  void cancel();
  void close();
  [[nodiscard]] std::expected<ListenerInfo, Error> status() const;

 private:
  struct Into {
    Pending<> pending;
    socket* peer;
  };
  struct Operation {
    std::uint64_t id;
    std::variant<Pending<socket>, Into, Pending<acceptor::deferred>> what;
  };
  using Operations = std::list<Operation, boost::asio::recycling_allocator<Operation>>;

  void notice(const Notice& notice) override;
  void host_ended(error_code why) override;
  void discard() override;
  void start(Operation operation);
  void progress();
  [[nodiscard]] bool attempt(Operation& operation);
  void fail(Operation& operation, error_code why);
  void cancel_one(std::uint64_t id);
  void cancel_all(error_code why);

  std::shared_ptr<HostCore> core_;
  std::optional<ListenerId> id_;
  std::uint64_t user_ = 0;
  Operations operations_;
  std::uint64_t last_operation_ = 0;
};

}  // namespace estab::net::detail
