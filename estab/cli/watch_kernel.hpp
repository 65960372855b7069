// SPDX-License-Identifier: Apache-2.0
// estab watch of the host kernel: its half-open records and its counters, read again and again.
#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "estab/cli/kernel_view.hpp"
#include "estab/cli/watch_source.hpp"

namespace estab::cli {

// Turns one reading after another into what happened in between. The kernel counts completions and
// cookies for all listeners together; they are shared out among them by what left their queues, and
// by whose queues are full. Not thread-safe.
class KernelHandshakes {
 public:
  using OnReport = std::function<void(const observe::FloodReport&)>;
  // `listeners`: only these; empty: all. An unspecified address is any.
  KernelHandshakes(const HashKey& key, OnReport on_report, std::vector<Endpoint> listeners = {});

  // As read_kernel_handshakes() gave it; the clock is the system's.
  void take(const KernelView& view);

  [[nodiscard]] const observe::HandshakeBoard& board() const { return board_; }
  // The last report on the listener, if one of it was judged.
  [[nodiscard]] const observe::FloodReport* report_of(const Endpoint& listener) const;

 private:
  struct Record {
    Endpoint listener;
    std::uint64_t seen = 0;  // In which reading it was seen last.
  };
  struct FlowHash {
    std::size_t operator()(const Flow& flow) const;
  };
  // A listener between two readings.
  struct Share {
    Endpoint listener;
    std::uint64_t left = 0;
    bool full = false;
  };
  [[nodiscard]] bool is_wanted(const Endpoint& listener) const;
  std::vector<Share> take_listeners(const std::vector<KernelListener>& listeners,
                                    const KernelView& view, Instant at);
  void take_records(const std::vector<KernelListener>& listeners, const KernelView& view,
                    std::vector<Share>& shares, Instant at);
  void take_counters(const KernelView& view, const std::vector<Share>& shares, Instant at);

  OnReport on_report_;
  std::vector<Endpoint> listeners_;
  observe::HandshakeBoard board_;
  std::unordered_map<Flow, Record, FlowHash> records_;  // As many as the kernel holds.
  std::optional<std::uint64_t> completed_, unseen_, unseen_completed_;  // The counters.
  std::uint64_t readings_ = 0;
};

class KernelSource final : public WatchSource {
 public:
  // Throws Failure where the kernel does not tell.
  KernelSource(boost::asio::io_context& io, const HashKey& key,
               KernelHandshakes::OnReport on_report, std::vector<Endpoint> listeners);

  [[nodiscard]] std::string name() const override { return "this machine's kernel"; }
  [[nodiscard]] std::vector<observe::ListenerPicture> pictures() override {
    return handshakes_.board().pictures();
  }
  [[nodiscard]] Instant now() const override { return handshakes_.board().now(); }
  [[nodiscard]] std::vector<std::string> notes() const override;
  [[nodiscard]] bool finished() const override { return false; }
  [[nodiscard]] std::uint64_t readings() const { return readings_; }

 private:
  void read_again();

  boost::asio::steady_timer timer_;
  KernelHandshakes handshakes_;
  std::uint64_t readings_ = 0;
  std::string trouble_;  // Why the last reading failed.
};

}  // namespace estab::cli
