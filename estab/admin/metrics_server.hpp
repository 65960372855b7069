// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <list>

#include "estab/admin/metrics_page.hpp"
#include "estab/base/address.hpp"
#include "estab/base/time.hpp"

namespace estab::admin {

// The metrics over HTTP/1.1, on a socket of the host kernel: they are to be had while our own stack
// is in trouble. A connection is for one request, and ends when its time is up; when too many are
// open the oldest goes, so that those who are silent keep nobody out. The executor's thread alone.
class MetricsServer {
 public:
  // Port 0: one that is free. Throws std::system_error where it cannot listen.
  MetricsServer(const boost::asio::any_io_executor& executor, const Endpoint& at, MetricsPage page,
                Duration patience = 10s);
  // Stops; answers that are on their way are cut.
  ~MetricsServer();
  MetricsServer(MetricsServer&&) = delete;

  // The port that it listens on.
  [[nodiscard]] Port port() const { return Port{acceptor_.local_endpoint().port()}; }

 private:
  class Client;
  void accept();
  void accept_later();
  void serve(boost::asio::ip::tcp::socket socket);

  std::shared_ptr<char> alive_ = std::make_shared<char>();
  std::shared_ptr<const MetricsPage> page_;
  Duration patience_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;           // Before trying again where descriptors are short.
  std::list<std::weak_ptr<Client>> clients_;  // The oldest first.
};

}  // namespace estab::admin
