// SPDX-License-Identifier: Apache-2.0
#include "estab/net/host_core.hpp"

#include <cassert>
#include <unordered_set>

namespace estab::net::detail {
namespace asio = boost::asio;

// Knows the hosts of an execution context, so that handlers which wait in them are destroyed with
// the context, as those of its own services are: a coroutine's frame may own the very host that
// holds its handler.
class HostCore::Service : public asio::execution_context::service {
 public:
  using key_type = Service;
  inline static asio::execution_context::id id;

  explicit Service(asio::execution_context& context) : service(context) {}
  void add(HostCore* core) { cores_.insert(core); }
  void remove(HostCore* core) { cores_.erase(core); }

 private:
  void shutdown() override {
    while (!cores_.empty()) {
      const auto core = (*cores_.begin())->shared_from_this();
      cores_.erase(core.get());
      core->discard();
    }
  }
  std::unordered_set<HostCore*> cores_;
};

std::shared_ptr<HostCore> HostCore::create(const asio::any_io_executor& executor,
                                           const StackConfig& config, const Secrets& secrets) {
  std::shared_ptr<HostCore> core{new HostCore{executor}};
  runtime::Shard::Owner& owner = *core;
  core->shard_ = std::make_shared<runtime::Shard>(executor, config, secrets, owner);
  asio::use_service<Service>(asio::query(executor, asio::execution::context)).add(core.get());
  return core;
}

HostCore::~HostCore() {
  shard_->end();
  asio::use_service<Service>(asio::query(executor_, asio::execution::context)).remove(this);
}

void HostCore::check_turn() const {
  assert(shard_->in_turn() && "estab::net: a call from a thread that does not run the context");
}

std::uint64_t HostCore::enroll(Notified& who) {
  notified_.emplace(++last_user_, &who);
  return last_user_;
}

template <class F>
void HostCore::for_all(F&& f) {
  std::vector<std::uint64_t> users;
  for (const auto& [user, who] : notified_) users.push_back(user);
  for (const auto user : users)
    if (const auto it = notified_.find(user); it != notified_.end()) f(*it->second);
}

void HostCore::end_all(error_code why) {
  if (ended_by_) return;
  ended_by_ = why;
  for_all([&](Notified& who) { who.host_ended(why); });
  shard_->end();
}

void HostCore::close() {
  const auto self = shared_from_this();
  end_all(asio::error::operation_aborted);
}

void HostCore::discard() {
  ended_by_ = asio::error::operation_aborted;
  for_all([](Notified& who) { who.discard(); });
  shard_->end();
}

void HostCore::notice(const Notice& notice) {
  if (const auto it = notified_.find(notice.user); it != notified_.end())
    it->second->notice(notice);
}

void HostCore::ended(std::error_code why) {
  const auto self = shared_from_this();
  end_all(why);
}

}  // namespace estab::net::detail
