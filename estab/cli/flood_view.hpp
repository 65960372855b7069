// SPDX-License-Identifier: Apache-2.0
// Watches a host's own listeners for floods: the board that estab watch shows, and a word on
// standard error whenever the verdict on a listener changes.
#pragma once
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <vector>

#include "estab/net/host.hpp"
#include "estab/observe/handshake_board.hpp"

namespace estab::cli {

class FloodView : public std::enable_shared_from_this<FloodView> {
 public:
  // The host's events and time end with it. One thread.
  static std::shared_ptr<FloodView> start(boost::asio::io_context& io, net::host& host,
                                          const StackConfig& config);

  FloodView(boost::asio::io_context& io, net::host& host, Milliseconds half_open_timeout);
  [[nodiscard]] std::vector<observe::ListenerPicture> pictures() const { return board_.pictures(); }

 private:
  void look();
  void advance(Instant now);
  void report(const observe::FloodReport& report);

  net::host& host_;
  Milliseconds half_open_timeout_;
  boost::asio::steady_timer timer_;
  observe::HandshakeBoard board_;
  std::map<Endpoint, observe::Verdict> said_;
};

}  // namespace estab::cli
