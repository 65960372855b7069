// SPDX-License-Identifier: Apache-2.0
// What `estab shield` does: takes connections that have completed their handshake on estab, opens
// one to the real server through the kernel for each, and passes octets between them.
#pragma once
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <set>
#include <vector>

#include "estab/cli/journal.hpp"
#include "estab/cli/server_options.hpp"
#include "estab/cli/session.hpp"
#include "estab/cli/shield_limits.hpp"
#include "estab/net/acceptor.hpp"
#include "estab/net/relay.hpp"

namespace estab::cli {

struct ShieldSettings {
  std::vector<Endpoint> listen;
  Endpoint to;
  ServerOptions server{.idle = 5 * 60s};  // What is overdue is reset on both sides.
  Duration connect_timeout = 5s;          // To the server.
  Duration drain = 10s;         // After an interruption; then what is still open is reset.
  bool proxy_protocol = false;  // Version 2.
};

// What became of those who connected.
struct ShieldCounters {
  std::uint64_t admitted = 0;
  // Of these; the rest is still open:
  std::uint64_t finished = 0;  // Both sides ended.
  std::uint64_t reset_by_client = 0, reset_by_server = 0, idle = 0, cut_off = 0;
  std::uint64_t no_request = 0;                      // Neither side has ever sent a byte.
  std::uint64_t stuck_client = 0, stuck_server = 0;  // Acknowledged no byte in time.
  std::uint64_t for_memory = 0;                      // The stack ended it for others.
  std::uint64_t no_server = 0;                       // The server refused or did not answer.
  // Refused:
  std::uint64_t over_max = 0, over_prefix = 0, over_rate = 0;
};

class ShieldServer : public std::enable_shared_from_this<ShieldServer> {
 public:
  // Listens at once. The session must live until run() has ended. Owned by a shared_ptr: what is
  // under way when the session ends holds it.
  ShieldServer(Session& session, const ShieldSettings& settings, const ShieldLimits& limits);

  // Serves until the session is interrupted, then drains.
  boost::asio::awaitable<void> run();
  void set_limits(const ShieldLimits& limits) { gate_.set_limits(limits); }
  [[nodiscard]] const ShieldCounters& counters() const { return counters_; }

 private:
  class Passage;

  static boost::asio::awaitable<void> accept(std::shared_ptr<ShieldServer> self,
                                             net::acceptor& acceptor);
  void admit(net::socket client);
  boost::asio::awaitable<void> drain();
  boost::asio::awaitable<void> until_empty(Duration at_most);
  void refuse(net::socket& client, const Endpoint& peer, Admission why);
  void count_end(const Endpoint& client, const net::error_code& error,
                 const net::relay_counts& counts);
  void cannot_reach(const net::error_code& error);
  void reached();

  Session& session_;
  ShieldSettings settings_;
  std::vector<net::acceptor> acceptors_;
  ShieldGate gate_;
  std::set<Passage*> passages_;
  ShieldCounters counters_;
  bool server_is_away_ = false;
  Journal journal_;
};

// One line of those that are not zero.
[[nodiscard]] std::string summary(const ShieldCounters& counters);

}  // namespace estab::cli
