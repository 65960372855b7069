// SPDX-License-Identifier: Apache-2.0
// What a host's handles share: its shard, and who is to be told of which notice.
#pragma once
#include <boost/asio/execution_context.hpp>
#include <unordered_map>

#include "estab/net/operation.hpp"
#include "estab/runtime/shard.hpp"

namespace estab::net::detail {

// Who waits for notices of one connection or listener.
class Notified {
 public:
  virtual ~Notified() = default;
  virtual void notice(const Notice& notice) = 0;
  // The host is gone; `why` is what operations under way complete with. No call of the stack may
  // follow.
  virtual void host_ended(error_code why) = 0;
  // The execution context is gone: handlers are destroyed, not called.
  virtual void discard() = 0;
};

class HostCore : public std::enable_shared_from_this<HostCore>, private runtime::Shard::Owner {
 public:
  static std::shared_ptr<HostCore> create(const boost::asio::any_io_executor& executor,
                                          const StackConfig& config, const Secrets& secrets);
  ~HostCore() override;

  runtime::Shard& shard() { return *shard_; }
  Stack& stack() { return shard_->stack(); }
  [[nodiscard]] const boost::asio::any_io_executor& executor() const { return executor_; }
  // What a call meets when the host has ended: its device's error, or operation_aborted.
  [[nodiscard]] error_code ended_by() const { return ended_by_; }
  // Asserts, in a debug build, that the calling thread may call.
  void check_turn() const;

  // A word for set_user(); notices with it go to `who` until dismiss().
  std::uint64_t enroll(Notified& who);
  void dismiss(std::uint64_t user) { notified_.erase(user); }

  // Resets the connections that are open, and ends every operation with operation_aborted.
  void close();
  void discard();

 private:
  class Service;
  explicit HostCore(const boost::asio::any_io_executor& executor) : executor_(executor) {}
  void notice(const Notice& notice) override;
  void ended(std::error_code why) override;
  void end_all(error_code why);
  template <class F> void for_all(F&& f);

  boost::asio::any_io_executor executor_;
  std::shared_ptr<runtime::Shard> shard_;
  std::unordered_map<std::uint64_t, Notified*> notified_;
  std::uint64_t last_user_ = 0;
  error_code ended_by_;
};

}  // namespace estab::net::detail
