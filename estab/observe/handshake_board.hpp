// SPDX-License-Identifier: Apache-2.0
// What a viewer of listeners shows, whatever source tells it: rates of the last minutes, the
// half-open queue, the busiest prefixes, one good and one bad handshake, and the flood detector's
// verdict. Sources tell one board all that they see; it passes on to its FloodWatch what that
// judges. Memory is fixed by the number of listeners; not thread-safe; time comes from the caller.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "estab/observe/flood_watch.hpp"
#include "estab/observe/handshake_rates.hpp"
#include "estab/observe/handshake_sample.hpp"

namespace estab::observe {

struct PrefixShare {
  Prefix prefix;                // A /24, or a /56 of IPv6.
  std::uint64_t syns = 0;       // First SYNs within the window; where sampled, scaled.
  std::uint64_t completed = 0;  // Those of them that completed.
  static constexpr Duration window = 30s;
  friend bool operator==(const PrefixShare&, const PrefixShare&) = default;
};

// Half-open connections are counted by age; the last count is of all that are older.
inline constexpr std::array<Milliseconds, 7> half_open_ages{
    Milliseconds{200},   Milliseconds{1000},  Milliseconds{3000}, Milliseconds{7000},
    Milliseconds{15000}, Milliseconds{31000}, Milliseconds{63000}};

// A listener at one moment.
struct ListenerPicture {
  Endpoint listener;       // Unspecified: all of them together.
  HandshakeSource source;  // What can be known.
  HandshakeGauges gauges;
  std::string mode;  // "NORMAL", "PRESSURE", "STATELESS"; empty where the source does not know.
  std::vector<HandshakeSecond> seconds;  // Whole ones, the oldest first; at most seconds_kept.
  static constexpr std::size_t seconds_kept = HandshakeRates::seconds_kept;
  // By age. Where the gauge is known they come to it; else they are those that the board remembers.
  std::array<std::uint32_t, half_open_ages.size() + 1> half_open{};
  std::vector<PrefixShare> prefixes;  // The busiest first; at most prefixes_shown.
  static constexpr std::size_t prefixes_shown = 10;
  Verdict verdict{};
  Lights lights;
  std::string words;                       // The verdict with its evidence, in one line.
  std::optional<SeenHandshake> good, bad;  // The newest that completed, and that failed.
};

struct HandshakeBoardConfig {
  std::size_t listeners = 64;  // That are told apart; others count in the sum alone. 1 to 254.
  std::size_t sample = 16384;  // Handshakes remembered, of 120 octets. 64 to 32768.
  Duration silent = 10s;       // A listener without a SYN for so long gives way to a new one.
  FloodDetectorConfig detector;
};

// Finds listeners by itself: those of which the source tells gauges, a tally or a mode; those that
// answered or completed a handshake; and, of a source that does not tell answers, all that SYNs
// come to. When there are too many, the one that was silent longest gives way.
//   - What it remembers of handshakes is a sample under a keyed hash, as large as there is room
//   for;
//     where it is less than all, counts are scaled and their sum stays right on average.
//   - No allocation per observation, but for a new listener, a mode's name, and in pictures().
class HandshakeBoard {
 public:
  // `key`: see FloodWatch.
  HandshakeBoard(const HashKey& key, const HandshakeSource& source,
                 const HandshakeBoardConfig& config = {});

  // Moves time on; on_report(const FloodReport&) is called for each judgement that is due. Call it
  // before each observation, else only the last of several reports remains.
  template <class F>
  void advance(Instant now, F&& on_report) {
    watch_.advance(now, on_report);
    roll(now);
  }
  void advance(Instant now) {
    advance(now, [](const FloodReport&) {});
  }
  // As FloodWatch takes them; of all listeners together under Endpoint{}.
  void observe(const HandshakeObservation& observation);
  void observe(const Endpoint& listener, const HandshakeGauges& gauges);
  void observe(const Endpoint& listener, const HandshakeTally& tally);
  // "NORMAL", "PRESSURE", "STATELESS".
  void set_mode(const Endpoint& listener, std::string_view mode);

  // As of the last moment told. All together first, left out where there is but one listener; then
  // the one with the most SYNs.
  [[nodiscard]] std::vector<ListenerPicture> pictures() const;
  [[nodiscard]] const FloodWatch& watch() const { return watch_; }
  [[nodiscard]] Instant now() const { return now_; }
  // When advance() has work next.
  [[nodiscard]] Instant next_deadline() const;

 private:
  // What is kept of a listener beside its detector, which stands at the same index of the watch.
  struct Place {
    Endpoint listener;  // Endpoint{}: nobody's, to be given away.
    Instant heard{};    // The last SYN.
    bool told = false;  // The source named it; else it was found by a flow.
    HandshakeGauges gauges{};
    std::string mode{};
    HandshakeRates rates{};
    std::optional<HandshakeRecord> good{}, bad{};
  };
  static constexpr std::size_t nowhere = 0;  // Belongs to no listener that is told apart.

  void roll(Instant now);
  void sweep();
  std::size_t place_of(const HandshakeObservation& observation);
  std::optional<std::size_t> place_told(const Endpoint& listener, bool busy);
  std::size_t add_place(const Endpoint& listener);
  void give_place(std::size_t place, const Endpoint& listener);
  std::size_t take_over(const Endpoint& listener);
  void syn(const Sighting& sighting, std::size_t place);
  void later_step(const Sighting& sighting, std::size_t place);
  void count(std::size_t place, HandshakeStep step);
  void keep_good_and_bad(const HandshakeRecord& record, std::size_t place, HandshakeStep step);
  // Calls f(Place&) for that of all and the listener's.
  template <class F> void for_both(std::size_t place, F&& f);
  [[nodiscard]] Duration timeout(std::size_t place) const;
  [[nodiscard]] bool is_half_open(const HandshakeRecord& record) const;

  // What the sample says of each place.
  struct Tallies;
  [[nodiscard]] std::vector<Tallies> tally_sample() const;
  [[nodiscard]] ListenerPicture picture(std::size_t place, Tallies& tallies) const;

  HandshakeBoardConfig config_;
  HandshakeSource source_;
  FloodWatch watch_;
  HandshakeSample sample_;
  std::vector<Place> places_;  // That of all stands first.
  Instant now_{};
  std::int64_t second_ = 0;  // Of the clock, that is filled.
  bool begun_ = false;
};

}  // namespace estab::observe
