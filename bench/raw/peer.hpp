// SPDX-License-Identifier: Apache-2.0
// One client that is no TCP: it opens a connection by hand, asks for a file over HTTP, and then
// treats the server as its kind says.
#pragma once
#include <chrono>
#include <functional>
#include <limits>
#include <string>

#include "segment.hpp"

namespace estab::raw {

using Time = std::chrono::steady_clock::time_point;
using Seconds = std::chrono::duration<double>;

enum class PeerKind : std::uint8_t {
  get,   // Takes all at once.
  hole,  // As get, and holds one byte out of order all the time: the server's segments carry SACK.
  hold,  // Takes what fits its window, then nothing more; answers probes.
  slow,  // Takes 1,024 bytes a second.
  vanish,  // Never answers again once its request is acknowledged.
  close,   // As hold; sends its FIN when the window is shut, and answers probes.
};
[[nodiscard]] std::string_view to_string(PeerKind kind);

struct PeerSettings {
  PeerKind kind{};
  std::string path;          // "/large"
  std::uint32_t window = 0;  // Bytes that it has room for.
  bool timestamps = true;
};

enum class PeerState : std::uint8_t { waiting, asking, open, ended, reset };

class Peer {
 public:
  using Send = std::function<void(const Segment&)>;
  Peer(const PeerSettings& settings, const Endpoint& local, const Endpoint& server,
       std::uint32_t isn);

  void open(Time now, const Send& send);
  void receive(const Segment& segment, Time now, const Send& send);
  // Called a few times a second: sends again what was not answered; reads, where it is slow.
  void tick(Time now, const Send& send);

  [[nodiscard]] PeerState state() const { return state_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  // From its SYN to its end; and how long it had acknowledged no byte then.
  [[nodiscard]] Seconds lasted() const { return finished_ - opened_; }
  [[nodiscard]] Seconds stalled() const { return finished_ - progress_; }

 private:
  [[nodiscard]] Segment segment(std::uint8_t flags, Time now) const;
  [[nodiscard]] std::string request() const;
  void send_ack(Time now, const Send& send);
  void send_fin_again(Time now, const Send& send);
  void send_request(Time now, const Send& send);
  void take(const Segment& segment, Time now);
  void read(Time now);
  void open_window();
  void finish(PeerState state, Time now);
  [[nodiscard]] bool has_gone() const {
    return state_ == PeerState::ended || state_ == PeerState::reset;
  }

  const PeerSettings& settings_;
  Endpoint local_, server_;
  std::uint32_t isn_, una_ = 0, nxt_ = 0, peer_nxt_ = 0, edge_ = 0;
  std::uint32_t unread_ = 0, peer_timestamp_ = 0;
  std::uint64_t bytes_ = 0;
  PeerState state_ = PeerState::waiting;
  bool vanished_ = false, timestamps_ = false, shut_ = false;
  Time opened_{}, progress_{}, finished_{}, again_{}, read_at_{};
  std::chrono::seconds patience_{1};
};

}  // namespace estab::raw
