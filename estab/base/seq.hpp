// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>

namespace estab {

// A point in the 32-bit sequence space (RFC 9293 §3.4). It wraps, so `<` is a circular
// comparison, valid for points less than 2^31 apart, and it is not transitive: never sort by it.
class Seq {
 public:
  constexpr Seq() = default;
  constexpr explicit Seq(std::uint32_t raw) : raw_(raw) {}
  [[nodiscard]] constexpr std::uint32_t raw() const { return raw_; }

  friend constexpr Seq operator+(Seq s, std::uint32_t n) { return Seq(s.raw_ + n); }
  friend constexpr Seq operator-(Seq s, std::uint32_t n) { return Seq(s.raw_ - n); }
  // The signed distance from b to a.
  friend constexpr std::int32_t operator-(Seq a, Seq b) { return std::int32_t(a.raw_ - b.raw_); }
  constexpr Seq& operator+=(std::uint32_t n) { return raw_ += n, *this; }

  friend constexpr bool operator==(Seq, Seq) = default;
  friend constexpr bool operator<(Seq a, Seq b) { return a - b < 0; }
  friend constexpr bool operator>(Seq a, Seq b) { return b < a; }
  friend constexpr bool operator<=(Seq a, Seq b) { return !(b < a); }
  friend constexpr bool operator>=(Seq a, Seq b) { return !(a < b); }

 private:
  std::uint32_t raw_ = 0;
};

// The distance from `from` to `to`, which the caller knows not to lie behind it.
[[nodiscard]] constexpr std::uint32_t distance(Seq from, Seq to) { return to.raw() - from.raw(); }
[[nodiscard]] constexpr Seq earlier(Seq a, Seq b) { return b < a ? b : a; }
[[nodiscard]] constexpr Seq later(Seq a, Seq b) { return a < b ? b : a; }

}  // namespace estab

template <>
struct std::less<estab::Seq>;  // Never defined: std::map<Seq, …> does not compile.
