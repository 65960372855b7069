// SPDX-License-Identifier: Apache-2.0
#include "estab/tcp/syn_cookie.hpp"

#include <algorithm>

#include "estab/tcp/isn.hpp"

namespace estab::tcp {
namespace {

constexpr std::array<std::uint16_t, 4> mss_v4{536, 1220, 1440, 1460};
constexpr std::array<std::uint16_t, 4> mss_v6{1220, 1360, 1420, 1440};
constexpr std::uint8_t version = 2;
constexpr std::uint8_t no_scale = 15;

// The octets under the MAC: what every ACK brings back, whether its timestamps were lost or not.
// The epoch is in the key.
struct Claim {
  const Flow& flow;
  Seq irs;
  std::uint8_t mss_index;
};

std::uint64_t mac(const HashKey& key, const Claim& c) {
  std::array<std::byte, 6 + most_flow_octets> octets;
  octets[0] = std::byte{version};
  octets[1] = std::byte{c.mss_index};
  store_be(&octets[2], c.irs.raw());
  const std::size_t size = 6 + put_flow(&octets[6], c.flow);
  return siphash(key, Bytes{octets}.first(size));
}

// The number: the MAC's 29 bits, then what the ACK must tell before the MAC can be checked, hidden
// under bits of the MAC so that the last three look no different from the rest.
Seq number_of(std::uint64_t mac, std::uint8_t mss_index, std::int64_t epoch) {
  const auto high = std::uint32_t(mac) & 0x1fff'ffff;
  const auto told = std::uint32_t(mss_index) | std::uint32_t(epoch & 1) << 2;
  return Seq(high << 3 | ((told ^ high ^ high >> 13) & 7));
}
std::uint32_t told_by(Seq number) {
  const std::uint32_t high = number.raw() >> 3;
  return (number.raw() ^ high ^ high >> 13) & 7;
}

// TSval: 26 further bits of the MAC, then six of options (scale, SACK, ECN). The options are mixed
// into the bits above them, so that a value with other options is no cookie. They need no MAC of
// their own: whoever knows the MAC's bits was sent them, and may ask for any options in a SYN.
constexpr std::uint32_t mixer = 0x9e3779b1;
std::uint32_t ts_value_of(std::uint64_t mac, std::uint8_t options) {
  return (std::uint32_t(mac >> 38) + options * mixer) << 6 | options;
}

// Whether `echo` is that value, or shows a clock that has ticked on from it, for as long as a
// cookie lives.
bool is_ts_value_of(std::uint64_t mac, std::uint32_t echo) {
  constexpr std::uint32_t longest = 2 * SynCookies::epoch / 1ms;
  return echo - ts_value_of(mac, echo & 63) <= longest;
}

std::uint8_t option_bits(const CookieOptions& o) {
  return std::uint8_t(o.scale.value_or(no_scale) | o.sack << 4 | o.ecn << 5);
}

}  // namespace

std::span<const std::uint16_t, 4> cookie_mss(const Address& peer) {
  return peer.is_v4() ? mss_v4 : mss_v6;
}

void SynCookies::set_keys(const CookieKeys& keys) {
  keys_ = keys;
  current_ = previous_ = {};
}

std::int64_t SynCookies::wall(Instant now) const {
  return (now.time_since_epoch() + keys_.wall_offset).count();
}

// SipHash is a pseudo-random function: what derives a MAC from a key may derive a key from a
// master.
const HashKey& SynCookies::key_of(std::array<EpochKey, 4>& known, const CookieMaster& master,
                                  std::int64_t number) {
  EpochKey& entry = known[std::size_t(number & 3)];
  if (entry.epoch != number) {
    std::array<std::byte, 9> octets{std::byte{version}};
    store_be(&octets[1], std::uint64_t(number));
    entry = {number, {siphash(master.words[0], octets), siphash(master.words[1], octets)}};
  }
  return entry.key;
}

SynCookies::Cookie SynCookies::make(const Flow& flow, Seq irs, const CookieOptions& options,
                                    Instant now) {
  const auto table = cookie_mss(flow.remote.address);
  const auto above = std::upper_bound(table.begin(), table.end(), options.mss);
  const auto index = std::uint8_t(std::max<std::ptrdiff_t>(above - table.begin() - 1, 0));
  const std::int64_t number = wall(now) / epoch.count();
  const std::uint8_t bits = options.timestamps ? option_bits(options) : 0;
  const auto code = mac(key_of(current_, keys_.master, number), {flow, irs, index});
  return {number_of(code, index, number), ts_value_of(code, bits)};
}

std::optional<CookieOptions> SynCookies::check(const Flow& flow, Seq irs, Seq iss,
                                               std::optional<std::uint32_t> ts_echo, Instant now) {
  const std::uint32_t told = told_by(iss);
  const auto index = std::uint8_t(told & 3);
  const std::int64_t time = wall(now), number = time / epoch.count();
  const auto bits = std::uint8_t(ts_echo.value_or(0) & 63);
  const auto fits = [&](std::array<EpochKey, 4>& known, const CookieMaster& master,
                        std::int64_t at) {
    const auto code = mac(key_of(known, master, at), {flow, irs, index});
    return number_of(code, index, at) == iss && (!ts_echo || is_ts_value_of(code, *ts_echo));
  };
  const auto fits_any_master = [&](std::int64_t at) {
    return fits(current_, keys_.master, at) ||
           (keys_.previous && fits(previous_, *keys_.previous, at));
  };
  // Of this epoch and the last one only one has the parity; the next one has the last one's.
  const std::int64_t recent = number - ((number & 1) != std::int64_t(told >> 2));
  const bool near_the_end = (time + skew.count()) / epoch.count() > number;
  if (!fits_any_master(recent) &&
      !(recent != number && near_the_end && fits_any_master(number + 1)))
    return std::nullopt;
  CookieOptions options{.mss = cookie_mss(flow.remote.address)[index],
                        .scale = {},
                        .timestamps = ts_echo.has_value()};
  if (!ts_echo) return options;
  if ((bits & 15) != no_scale) options.scale = std::uint8_t(bits & 15);
  options.sack = (bits & 16) != 0;
  options.ecn = (bits & 32) != 0;
  return options;
}

}  // namespace estab::tcp
