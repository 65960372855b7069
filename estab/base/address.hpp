// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "estab/base/bytes.hpp"

namespace estab {

// An IPv4 or IPv6 address in network byte order; IPv4 is held IPv4-mapped (RFC 4291 §2.5.5.2).
class Address {
 public:
  constexpr Address() = default;  // The unspecified IPv6 address, "::".
  static constexpr Address v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    Address r;
    r.octets_ = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d};
    return r;
  }
  static constexpr Address v4(std::uint32_t host_order) {
    auto words = std::bit_cast<Words>(v4(0, 0, 0, 0).octets_);
    words[3] = big_endian(host_order);
    Address r;
    r.octets_ = std::bit_cast<std::array<std::uint8_t, 16>>(words);
    return r;
  }
  static constexpr Address v6(const std::array<std::uint8_t, 16>& octets) {
    Address r;
    r.octets_ = octets;
    return r;
  }
  static Address v4(const std::byte* four) { return v4(load_be<std::uint32_t>(four)); }
  static Address v6(const std::byte* sixteen) {
    Address r;
    std::memcpy(r.octets_.data(), sixteen, 16);
    return r;
  }
  // "192.0.2.1" or "2001:db8::1"; nothing else (no port, no brackets, no zone).
  static std::optional<Address> parse(std::string_view text);
  // RFC 5952 for IPv6, dotted decimal for IPv4.
  [[nodiscard]] std::string to_string() const;

  [[nodiscard]] constexpr bool is_v4() const {
    constexpr auto mapped = std::bit_cast<Words>(v4(0, 0, 0, 0).octets_);
    return std::bit_cast<Halves>(octets_)[0] == 0 && std::bit_cast<Words>(octets_)[2] == mapped[2];
  }
  [[nodiscard]] constexpr const std::array<std::uint8_t, 16>& octets() const { return octets_; }
  // The four octets of an IPv4 address; the caller has checked is_v4().
  [[nodiscard]] constexpr std::uint32_t to_v4() const {
    return std::uint32_t(octets_[12]) << 24 | std::uint32_t(octets_[13]) << 16 |
           std::uint32_t(octets_[14]) << 8 | octets_[15];
  }

  [[nodiscard]] constexpr bool is_unspecified() const {
    return *this == Address{} || *this == v4(0, 0, 0, 0);
  }
  [[nodiscard]] constexpr bool is_loopback() const {
    return is_v4() ? octets_[12] == 127
                   : *this == v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
  }
  [[nodiscard]] constexpr bool is_multicast() const {
    return is_v4() ? octets_[12] >> 4 == 14 : octets_[0] == 0xff;
  }
  [[nodiscard]] constexpr bool is_limited_broadcast() const {
    return is_v4() && to_v4() == 0xffffffff;
  }
  // The address with all bits after `length` cleared; length counts in the family (0..32, 0..128).
  [[nodiscard]] Address prefix(unsigned length) const;
  // Whether the first `length` bits are the same, counted in the family, which is the same too.
  [[nodiscard]] bool agrees(const Address& other, unsigned length) const {
    if (is_v4() != other.is_v4()) return false;
    if (length == 0) return true;
    return is_v4() ? (to_v4() ^ other.to_v4()) >> (32 - length) == 0 : agrees_v6(other, length);
  }

  // Not the defaults, which would go octet by octet for every packet.
  friend constexpr bool operator==(const Address& a, const Address& b) {
    const auto x = std::bit_cast<Halves>(a.octets_), y = std::bit_cast<Halves>(b.octets_);
    return x[0] == y[0] && x[1] == y[1];
  }
  friend constexpr std::strong_ordering operator<=>(const Address& a, const Address& b) {
    const auto x = std::bit_cast<Halves>(a.octets_), y = std::bit_cast<Halves>(b.octets_);
    return x[0] != y[0] ? big_endian(x[0]) <=> big_endian(y[0])
                        : big_endian(x[1]) <=> big_endian(y[1]);
  }

 private:
  [[nodiscard]] bool agrees_v6(const Address& other, unsigned length) const;
  template <class T>
  static constexpr T big_endian(T value) {
    return std::endian::native == std::endian::little ? std::byteswap(value) : value;
  }
  using Words = std::array<std::uint32_t, 4>;
  using Halves = std::array<std::uint64_t, 2>;
  std::array<std::uint8_t, 16> octets_{};
};

// An address with the length of its network's prefix, as in "10.77.0.2/24".
struct Prefix {
  Address address;
  std::uint8_t length = 0;  // 0..32 for IPv4, 0..128 for IPv6.

  static std::optional<Prefix> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] bool contains(const Address& a) const { return address.agrees(a, length); }
  // The directed broadcast address of an IPv4 subnet of /30 or shorter (RFC 1122 §3.2.1.3).
  [[nodiscard]] std::optional<Address> directed_broadcast() const;
  friend bool operator==(const Prefix&, const Prefix&) = default;
};

enum class Port : std::uint16_t {};
[[nodiscard]] constexpr std::uint16_t number(Port p) { return static_cast<std::uint16_t>(p); }

struct Endpoint {
  Address address;
  Port port{};
  // "192.0.2.1:80" or "[2001:db8::1]:80".
  [[nodiscard]] std::string to_string() const;
  friend constexpr bool operator==(const Endpoint&, const Endpoint&) = default;
  friend constexpr auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

// The pair of sockets that names a connection (RFC 9293 §3.3.1), seen from our end.
struct Flow {
  Endpoint local, remote;
  [[nodiscard]] constexpr Flow reversed() const { return {remote, local}; }
  friend constexpr bool operator==(const Flow&, const Flow&) = default;
};

}  // namespace estab
