// SPDX-License-Identifier: Apache-2.0
// SYN cookies (RFC 4987 §3.6): the initial sequence number of every SYN-ACK authenticates the SYN
// that it answers, to the exact number, so that no record is needed to know the peer again. The
// number is a 29-bit MAC, an index of the MSS and the key epoch's parity; with timestamps,
// TSval has 26 further bits of the MAC and the options that were agreed. TSval may have moved on by
// whole ticks of 64 ms, so that a SYN-ACK that is sent again shows the time.
#pragma once
#include <array>
#include <optional>
#include <span>

#include "estab/base/address.hpp"
#include "estab/base/seq.hpp"
#include "estab/base/siphash.hpp"
#include "estab/base/time.hpp"

namespace estab::tcp {

// 256 bits from which the key of each epoch is derived.
struct CookieMaster {
  std::array<HashKey, 2> words{};
  friend bool operator==(const CookieMaster&, const CookieMaster&) = default;
};

// Hosts with the same keys and clocks within 2 s of each other know each other's cookies.
struct CookieKeys {
  CookieMaster master;                   // Makes and checks.
  std::optional<CookieMaster> previous;  // Checks only, while hosts change from one to the other.
  Duration wall_offset{};                // From the stack's clock to the one that the hosts share.
};

// What a SYN-ACK agreed to, as far as a cookie can carry it.
struct CookieOptions {
  std::uint16_t mss = 536;            // The peer's, rounded down to one of cookie_mss().
  std::optional<std::uint8_t> scale;  // The peer's; 0..14. Only with timestamps, as sack and ecn.
  bool timestamps = false, sack = false, ecn = false;
  friend bool operator==(const CookieOptions&, const CookieOptions&) = default;
};

// The values of MSS that a cookie can carry to a peer of this family, smallest first.
[[nodiscard]] std::span<const std::uint16_t, 4> cookie_mss(const Address& peer);

class SynCookies {
 public:
  static constexpr Duration epoch = 16s;  // A cookie is good for one to two of them.
  static constexpr Duration skew = 2s;    // Around an epoch's end the next one's are taken as well.
  // In the units of TSval, milliseconds: it may have moved on by a multiple of this.
  static constexpr std::uint32_t clock_tick = 64;

  explicit SynCookies(const CookieKeys& keys) : keys_(keys) {}
  void set_keys(const CookieKeys& keys);

  struct Cookie {
    Seq iss;
    std::uint32_t ts_value = 0;  // Of the SYN-ACK, if it has timestamps.
    friend bool operator==(const Cookie&, const Cookie&) = default;
  };
  // For the answer to a SYN that came from `flow.remote` with the number `irs`. An MSS under all of
  // cookie_mss() is carried as the smallest: the caller must not rely on the cookie alone then.
  [[nodiscard]] Cookie make(const Flow& flow, Seq irs, const CookieOptions& options, Instant now);
  // What was agreed, if `iss`, and `ts_echo` where the peer sends timestamps, are such a cookie's.
  // An ACK without the timestamps that were agreed is known by `iss` alone (Linux takes it too);
  // then no options were agreed.
  [[nodiscard]] std::optional<CookieOptions> check(const Flow& flow, Seq irs, Seq iss,
                                                   std::optional<std::uint32_t> ts_echo,
                                                   Instant now);

 private:
  struct EpochKey {
    std::int64_t epoch = INT64_MIN;  // None yet.
    HashKey key{};
  };
  [[nodiscard]] std::int64_t wall(Instant now) const;
  const HashKey& key_of(std::array<EpochKey, 4>& known, const CookieMaster& master,
                        std::int64_t epoch);

  CookieKeys keys_;
  std::array<EpochKey, 4> current_{}, previous_{};  // By the epoch's last two bits.
};

}  // namespace estab::tcp
