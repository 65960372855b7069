// SPDX-License-Identifier: Apache-2.0
// Where a scene is played: our end, the peer, and a wire on which every segment waits until the
// scene lets it go, so that no state passes unseen. After each step both ends are asked for their
// states; where they are not those that the scene names, it has failed. The time of our end stands
// still but for the timers that a scene waits for.
#pragma once
#include <array>
#include <deque>
#include <set>

#include "estab/cli/demo_end.hpp"
#include "estab/cli/demo_picture.hpp"
#include "estab/link/faulty.hpp"

namespace estab::cli::demo {

class Witness;

struct Pair {
  State ours, theirs;
  friend bool operator==(const Pair&, const Pair&) = default;
};

enum class Side : std::uint8_t { us, peer };

struct StageOptions {
  Witness* witness = nullptr;  // Asked after each step as well; none: not wanted.
  bool slow = false;
  End::View view{};         // Of our end's events.
  Side opener = Side::us;   // Stands on the left.
  Port client{}, server{};  // The opener's, and the other end's.
};

class Stage {
 public:
  // What they refer to outlives the stage.
  Stage(PacketPool& pool, Peer& peer, Picture& picture, const StageOptions& options);

  // --- The programs' calls ---------------------------------------------------------------------
  void listen(Side who);
  void stop_listening(Side who);
  // The opener from the client's port to the server's, the other one the other way.
  void connect(Side who);
  void accept(Side who);
  void send(Side who, std::string_view text, bool urgent = false);
  // Waits for exactly this text.
  void receive(Side who, std::string_view text);
  // What the program at that end learns of urgent data; waits until it is told that there are any.
  Urgency urgency(Side who);
  void shutdown(Side who);

  // Listens, connects, accepts, stops listening, and shows nothing of it.
  void establish();
  // Draws the ladder's heading and the states in which the ends are.
  void begin(Pair states);

  // --- The wire --------------------------------------------------------------------------------
  // The next segment of that side, which has these flags, goes all the way.
  void deliver(Side from, std::string_view flags, Pair after);
  // It leaves, and arrives later: arrives(), in the order of departure.
  void departs(Side from, std::string_view flags, Pair after);
  void arrives(Side from, Pair after);
  // Whether it arrives to the first effect, or else to the second.
  [[nodiscard]] bool arrives_or(Side from, Pair after, Pair otherwise);
  // The next segment that comes from that side leaves the line in which all wait: it is lost(), or,
  // if it is ours, others overtake it until it arrives().
  void divert_next(Side from) { divert_[std::to_underlying(from)] = true; }
  void lost(Side from, std::string_view flags, Pair after);
  // An old duplicate of our SYN that waits on the wire, `back` numbers before it, reaches the peer.
  void old_duplicate(std::uint32_t back, Pair after);

  // Both ends are in these states now; `remark`, if any, stands between the posts.
  void holds(Pair states, std::string_view remark = {});
  // What `ss -tan` prints of the peer's end, and `estab ss` of ours.
  void show_ss();
  // Nothing is left on the wire.
  void end();

  [[nodiscard]] bool peer_is_kernel() const { return !peer_.snapshots(); }
  // What ended our connection, in words; "" if nothing has.
  [[nodiscard]] std::string our_error() const { return us_.error(); }
  // The pairs of states that were found, each time that one changed; and how often they were asked.
  [[nodiscard]] const std::vector<Pair>& pairs() const { return pairs_; }
  [[nodiscard]] std::size_t checks() const { return checks_; }

 private:
  Stage(PacketPool& pool, Peer& peer, Picture& picture, const StageOptions& options,
        std::unique_ptr<link::FaultyDevice> wire);
  struct Sent {
    observe::Segment segment;
    std::vector<std::byte> datagram;
    bool diverted = false;
  };
  link::FilterVerdict see(link::Direction direction, const Packet& packet);
  [[nodiscard]] bool is_copy(Side from, const observe::Segment& segment);
  void work();
  // Works until it is there; in the scene's time only if `who` has something due.
  void await(std::optional<Side> who, std::string_view what, const std::function<bool()>& there);
  void wait_for(std::optional<Side> who);
  template <class F>
  decltype(auto) at(Side who, F&& f);
  [[nodiscard]] Sent take(Side from, std::string_view flags);
  void release(Side from, const Sent& sent);
  void inject(const std::vector<std::byte>& datagram);
  void check(Pair expected);
  // Which of them the ends come to be in.
  [[nodiscard]] Pair settle(Pair expected, Pair otherwise);
  [[nodiscard]] Pair states();
  [[nodiscard]] Columns columns(Pair pair) const;
  void rest();

  PacketPool& pool_;
  Peer& peer_;
  Picture& picture_;
  StageOptions options_;
  link::FaultyDevice* wire_ = nullptr;  // Owned by us_.
  End us_;
  Instant now_{1s};
  Flow flow_;  // As we see it.
  std::array<std::deque<Sent>, 2> waiting_, departed_;
  std::array<bool, 2> divert_{};
  bool pass_ = false;
  std::set<std::pair<std::uint32_t, std::uint32_t>> seen_;  // Of the peer: number and kind.
  std::vector<Pair> pairs_;                                 // In order.
  std::size_t checks_ = 0;
};

}  // namespace estab::cli::demo
