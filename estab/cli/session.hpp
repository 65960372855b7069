// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <optional>
#include <string>

#include "estab/admin/metrics_server.hpp"
#include "estab/admin/server.hpp"
#include "estab/cli/flood_view.hpp"
#include "estab/cli/network_options.hpp"
#include "estab/cli/views.hpp"
#include "estab/net/host.hpp"

namespace estab::cli {

// What a command runs in: a host on a TUN device, its views, its control socket, its metrics and
// its signals. When it is destroyed nothing is left: no device, no address, no socket file. One
// thread.
class Session {
 public:
  // `service` is what `estab ss` shows, as "serve --echo". Throws Failure or what the device, the
  // addresses or the capture throw.
  Session(const NetworkOptions& options, const StackConfig& stack, const std::string& service,
          LadderTo ladder);

  boost::asio::io_context& context() { return io_; }
  net::host& host() { return *host_; }

  // Runs until `work` is done, then resets what is still open. Throws what it threw, or the Failure
  // of fail().
  void run(boost::asio::awaitable<void> work);
  // Completes at the first SIGINT, SIGTERM or SIGHUP. A second one ends run() with a Failure.
  boost::asio::awaitable<void> interrupted();
  // From now on SIGHUP is no interruption: it calls `reload`.
  void on_hangup(std::function<void()> reload) { hangup_ = std::move(reload); }
  // Ends run() with a Failure of these words; the first ones count.
  void fail(const std::string& why);
  // Waits until no connection is left, TIME-WAIT aside, or the time is up; returns how many are.
  boost::asio::awaitable<std::size_t> drained(Duration at_most);

 private:
  void serve_metrics(const NetworkOptions& options, const admin::ProcessInfo& process);
  void wait_for_signal();
  boost::asio::awaitable<void> keep_routes(NetworkOptions options);

  boost::asio::io_context io_{1};
  boost::asio::signal_set signals_;
  boost::asio::steady_timer first_signal_;  // Runs out when it comes.
  std::function<void()> hangup_;
  bool signalled_ = false;
  std::optional<std::string> failure_;
  std::optional<net::host> host_;
  std::shared_ptr<FloodView> flood_;
  std::optional<admin::Server> admin_;
  std::optional<admin::MetricsServer> metrics_;
};

}  // namespace estab::cli
