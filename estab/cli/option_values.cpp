// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/option_values.hpp"

#include <array>
#include <charconv>

namespace estab::cli {
namespace {

// 0 to `most`; nothing but digits.
std::optional<std::uint32_t> parse_number(std::string_view text, std::uint32_t most) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > most) return std::nullopt;
  return value;
}

template <class Parse>
CLI::Validator validator(const char* name, Parse parse, const char* what) {
  return {[parse, what](const std::string& text) -> std::string {
            if (parse(text)) return {};
            return "'" + text + "' is no " + what;
          },
          "", name};
}

}  // namespace

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  auto host = text.substr(0, colon);
  const auto port = parse_number(text.substr(colon + 1), 65535);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = Address::parse(host);
  if (!address || !port || *port == 0 || address->is_v4() == bracketed) return std::nullopt;
  return Endpoint{*address, Port(*port)};
}

std::optional<Duration> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    Duration length;
  };
  constexpr std::array<Unit, 4> units{{{"ms", 1ms}, {"s", 1s}, {"m", 60s}, {"h", 3600s}}};
  for (const auto& unit : units) {
    if (!text.ends_with(unit.name)) continue;
    const auto most =
        std::uint32_t(24000h / unit.length > 86'400'000 ? 86'400'000 : 24000h / unit.length);
    if (const auto number = parse_number(text.substr(0, text.size() - unit.name.size()), most))
      return *number * unit.length;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> parse_count(std::string_view text) {
  return parse_number(text, 1'000'000'000);
}

std::optional<std::uint32_t> parse_rate(std::string_view text) {
  if (!text.ends_with("/s")) return std::nullopt;
  return parse_count(text.substr(0, text.size() - 2));
}

std::optional<std::uint64_t> parse_memory(std::string_view text) {
  struct Unit {
    std::string_view name;
    unsigned shift;
  };
  constexpr std::array<Unit, 4> units{{{"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"", 0}}};
  constexpr std::uint64_t least = 16ull << 20, most = 1024ull << 30;
  for (const auto& [name, shift] : units) {
    if (!text.ends_with(name)) continue;
    const auto digits = text.substr(0, text.size() - name.size());
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc{} || end != digits.data() + digits.size() || number > most >> shift ||
        number << shift < least)
      return std::nullopt;
    return number << shift;
  }
  return std::nullopt;
}

const CLI::Validator is_endpoint =
    validator("endpoint", parse_endpoint,
              "address with a port of 1 to 65535; such are 192.0.2.1:80 and [2001:db8::1]:80");
const CLI::Validator is_duration =
    validator("duration", parse_duration, "time; such are 500ms, 10s, 5m and 2h");
const CLI::Validator is_count =
    validator("count", parse_count, "whole number from 0 to 1000000000");
const CLI::Validator is_memory =
    validator("memory", parse_memory,
              "amount of memory from 16MiB to 1024GiB; such are 134217728 and 128MiB");
const CLI::Validator is_rate = validator("rate", parse_rate, "rate; such is 50/s");

}  // namespace estab::cli
