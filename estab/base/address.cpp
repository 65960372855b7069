// SPDX-License-Identifier: Apache-2.0
#include "estab/base/address.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

namespace estab {
namespace {

template <class T>
std::optional<T> number_in(std::string_view text, int base, T largest) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || value > largest)
    return std::nullopt;
  return value;
}

std::optional<std::uint32_t> parse_v4(std::string_view text) {
  std::uint32_t value = 0;
  for (int part = 0; part < 4; ++part) {
    const auto dot = part < 3 ? text.find('.') : text.size();
    if (dot == text.npos || dot > 3) return std::nullopt;
    const auto octet = number_in<unsigned>(text.substr(0, dot), 10, 255);
    if (!octet || (dot > 1 && text[0] == '0')) return std::nullopt;  // "010" is ambiguous.
    value = value << 8 | *octet;
    text.remove_prefix(part < 3 ? dot + 1 : dot);
  }
  return value;
}

// One side of "::" as 16-bit groups; an IPv4 tail counts as two.
bool parse_groups(std::string_view text, std::vector<std::uint16_t>& out, bool last) {
  if (text.empty()) return true;
  for (;;) {
    const auto colon = text.find(':');
    const auto group = text.substr(0, colon);
    if (colon == text.npos && last && group.find('.') != group.npos) {
      const auto v4 = parse_v4(group);
      if (!v4) return false;
      out.push_back(std::uint16_t(*v4 >> 16));
      out.push_back(std::uint16_t(*v4));
      return true;
    }
    if (group.size() > 4) return false;
    const auto value = number_in<unsigned>(group, 16, 0xffff);
    if (!value || out.size() == 8) return false;
    out.push_back(std::uint16_t(*value));
    if (colon == text.npos) return true;
    text.remove_prefix(colon + 1);
  }
}

std::optional<Address> parse_v6(std::string_view text) {
  std::vector<std::uint16_t> head, tail;
  const auto gap = text.find("::");
  if (gap == text.npos) {
    if (!parse_groups(text, head, true) || head.size() != 8) return std::nullopt;
  } else {
    const auto after = text.substr(gap + 2);
    if (!parse_groups(text.substr(0, gap), head, false) || !parse_groups(after, tail, true) ||
        head.size() + tail.size() > 7)
      return std::nullopt;
  }
  std::array<std::uint8_t, 16> octets{};
  const auto put = [&](std::size_t group, std::uint16_t value) {
    octets[2 * group] = std::uint8_t(value >> 8);
    octets[2 * group + 1] = std::uint8_t(value);
  };
  for (std::size_t i = 0; i < head.size(); ++i) put(i, head[i]);
  for (std::size_t i = 0; i < tail.size(); ++i) put(8 - tail.size() + i, tail[i]);
  return Address::v6(octets);
}

std::string v6_to_string(const std::array<std::uint8_t, 16>& octets) {
  const auto group = [&](int i) { return unsigned(octets[2 * i]) << 8 | octets[2 * i + 1]; };
  int gap = -1, gap_length = 1;  // RFC 5952 §4.2: the longest run of two or more zero groups.
  for (int i = 0; i < 8; ++i) {
    int n = 0;
    while (i + n < 8 && group(i + n) == 0) ++n;
    if (n > gap_length) gap = i, gap_length = n;
    i += n;
  }
  std::string text;
  for (int i = 0; i < 8; ++i) {
    if (i == gap) {
      text += "::";
      i += gap_length - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    char digits[4];
    const auto end = std::to_chars(digits, digits + 4, group(i), 16).ptr;
    text.append(digits, end);
  }
  return text;
}

}  // namespace

std::optional<Address> Address::parse(std::string_view text) {
  if (text.find(':') != text.npos) return parse_v6(text);
  if (const auto value = parse_v4(text)) return v4(*value);
  return std::nullopt;
}

std::string Address::to_string() const {
  if (!is_v4()) return v6_to_string(octets_);
  std::string text;
  for (int i = 12; i < 16; ++i) {
    if (i > 12) text += '.';
    text += std::to_string(unsigned(octets_[i]));
  }
  return text;
}

Address Address::prefix(unsigned length) const {
  const unsigned bits = is_v4() ? 96 + length : length;
  const auto mask = [](unsigned count) {
    return count == 0 ? 0 : ~std::uint64_t{0} << (64 - count);
  };
  Address r;
  const std::byte* from = as_bytes(octets_).data();
  std::byte* to = std::as_writable_bytes(std::span{r.octets_}).data();
  store_be(to, load_be<std::uint64_t>(from) & mask(std::min(bits, 64u)));
  store_be(to + 8, load_be<std::uint64_t>(from + 8) & mask(bits > 64 ? bits - 64 : 0));
  return r;
}

bool Address::agrees_v6(const Address& other, unsigned length) const {
  const auto half_agrees = [&](std::size_t at, unsigned count) {
    if (count == 0) return true;
    const auto mine = load_be<std::uint64_t>(as_bytes(octets_).data() + at);
    const auto theirs = load_be<std::uint64_t>(as_bytes(other.octets_).data() + at);
    return (mine ^ theirs) >> (64 - count) == 0;
  };
  return half_agrees(0, std::min(length, 64u)) && half_agrees(8, length > 64 ? length - 64 : 0);
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = Address::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const unsigned width = address->is_v4() ? 32 : 128;
  if (slash == text.npos) return Prefix{*address, std::uint8_t(width)};
  const auto length = number_in<unsigned>(text.substr(slash + 1), 10, width);
  if (!length) return std::nullopt;
  return Prefix{*address, std::uint8_t(*length)};
}

std::string Prefix::to_string() const {
  return address.to_string() + '/' + std::to_string(unsigned(length));
}

std::optional<Address> Prefix::directed_broadcast() const {
  if (!address.is_v4() || length > 30) return std::nullopt;
  return Address::v4(address.to_v4() | 0xffffffffu >> length);
}

std::string Endpoint::to_string() const {
  const auto port_text = ':' + std::to_string(number(port));
  return address.is_v4() ? address.to_string() + port_text
                         : '[' + address.to_string() + ']' + port_text;
}

}  // namespace estab
