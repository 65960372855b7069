// SPDX-License-Identifier: Apache-2.0
#include "estab/fault/impairment.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <span>

namespace estab::fault {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t worth;
};
// Largest first: that is the order in which to_string tries them.
constexpr std::array time_units{Unit{"s", 1'000'000'000}, Unit{"ms", 1'000'000}, Unit{"us", 1'000},
                                Unit{"ns", 1}};
constexpr std::array rate_units{Unit{"gbit", 1'000'000'000}, Unit{"mbit", 1'000'000},
                                Unit{"kbit", 1'000}, Unit{"bit", 1}};
constexpr double largest_amount = 1e18;  // Of nanoseconds or bits a second: it fits 63 bits.

// Each reader returns false for a value that it cannot take.
bool read(std::string_view text, auto& number) {
  const auto* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number);
  return result.ec == std::errc{} && result.ptr == end;
}

bool read_probability(std::string_view text, double& out) {
  const bool percent = text.ends_with('%');
  if (percent) text.remove_suffix(1);
  double value = 0;
  if (!read(text, value)) return false;
  if (percent) value /= 100;
  if (!(value >= 0 && value <= 1)) return false;
  out = value;
  return true;
}

std::optional<std::uint64_t> read_amount(std::string_view text, std::span<const Unit> units) {
  const auto unit_at = text.find_first_not_of("0123456789.");
  if (unit_at == text.npos) return std::nullopt;
  double value = 0;
  if (!read(text.substr(0, unit_at), value)) return std::nullopt;
  for (const auto& unit : units) {
    if (unit.name != text.substr(unit_at)) continue;
    std::uint64_t whole = 0;  // Exact where a double would round.
    if (read(text.substr(0, unit_at), whole) && value * double(unit.worth) <= largest_amount)
      return whole * unit.worth;
    value *= double(unit.worth);
    return value <= largest_amount ? std::optional{std::uint64_t(std::llround(value))}
                                   : std::nullopt;
  }
  return std::nullopt;
}

bool read_duration(std::string_view text, Duration& out) {
  const auto amount = read_amount(text, time_units);
  if (amount) out = Duration(std::int64_t(*amount));
  return amount.has_value();
}

bool read_rate(std::string_view text, std::uint64_t& out) {
  const auto amount = read_amount(text, rate_units);
  if (!amount || *amount == 0) return false;
  out = *amount;
  return true;
}

bool read_queue(std::string_view text, std::uint32_t& out) { return read(text, out) && out > 0; }

constexpr std::string_view right_probability = "a probability from 0% to 100%, as in 1% or 0.01";
constexpr std::string_view right_duration = "a time with its unit (ns, us, ms, s), as in 20ms";
constexpr std::string_view right_rate =
    "a rate above zero with its unit (bit, kbit, mbit, gbit), as in 10mbit";
constexpr std::string_view right_queue = "a number of packets, 1 to 4294967295, as in 100";
constexpr std::string_view right_seed = "a whole number, 0 to 18446744073709551615, as in 7";

struct Field {
  std::string_view name;
  bool (*set)(std::string_view value, Impairment& impairment);
  std::string_view right;  // What the value must be.
};
constexpr std::array fields{
    Field{"loss", [](auto v, auto& i) { return read_probability(v, i.loss); }, right_probability},
    Field{"duplicate", [](auto v, auto& i) { return read_probability(v, i.duplicate); },
          right_probability},
    Field{"corrupt", [](auto v, auto& i) { return read_probability(v, i.corrupt); },
          right_probability},
    Field{"reorder", [](auto v, auto& i) { return read_probability(v, i.reorder); },
          right_probability},
    Field{"delay", [](auto v, auto& i) { return read_duration(v, i.delay); }, right_duration},
    Field{"jitter", [](auto v, auto& i) { return read_duration(v, i.jitter); }, right_duration},
    Field{"rate", [](auto v, auto& i) { return read_rate(v, i.rate); }, right_rate},
    Field{"queue", [](auto v, auto& i) { return read_queue(v, i.queue); }, right_queue},
    Field{"seed", [](auto v, auto& i) { return read(v, i.seed); }, right_seed},
};

std::string unknown(std::string_view name) {
  std::string sentence = "'" + std::string(name) + "' is not an impairment; there are ";
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) sentence += i + 1 < fields.size() ? ", " : " and ";
    sentence += fields[i].name;
  }
  return sentence + ", written as in loss=1%,delay=20ms.";
}

// Reads one "name=value"; the error is empty where all is well.
std::string read_field(std::string_view item, Impairment& impairment, std::uint32_t& seen) {
  const auto equals = item.find('=');
  const auto name = item.substr(0, equals);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name != name) continue;
    if (seen >> i & 1) return "'" + std::string(name) + "' is given twice; give it once.";
    seen |= 1u << i;
    const auto value = equals == item.npos ? std::string_view{} : item.substr(equals + 1);
    if (fields[i].set(value, impairment)) return {};
    return "'" + std::string(item) + "' is wrong: " + std::string(name) + "= wants " +
           std::string(fields[i].right) + ".";
  }
  return unknown(name);
}

std::string shortest(double value) {
  std::array<char, 32> text;
  return {text.data(), std::to_chars(text.begin(), text.end(), value).ptr};
}

// In per cent where that reads back to the same value, which rounding may prevent.
std::string probability(double value) {
  auto percent = shortest(value * 100) + "%";
  double back = -1;
  return read_probability(percent, back) && back == value ? percent : shortest(value);
}

std::string amount(std::uint64_t value, std::span<const Unit> units) {
  const auto* unit = units.data();
  while (value % unit->worth != 0) ++unit;
  return std::to_string(value / unit->worth) + std::string(unit->name);
}

}  // namespace

std::expected<Impairment, std::string> parse_impairment(std::string_view text) {
  Impairment impairment;
  std::uint32_t seen = 0;
  while (!text.empty()) {
    const auto comma = text.find(',');
    auto error = read_field(text.substr(0, comma), impairment, seen);
    if (!error.empty()) return std::unexpected(std::move(error));
    if (comma == text.size() - 1)
      return std::unexpected("A field is missing after the last comma.");
    text.remove_prefix(comma == text.npos ? text.size() : comma + 1);
  }
  return impairment;
}

std::string to_string(const Impairment& i) {
  constexpr Impairment usual;
  std::string text;
  const auto field = [&](std::string_view name, const auto& value, const auto& otherwise,
                         const auto& show) {
    if (value == otherwise) return;
    text.append(text.empty() ? "" : ",").append(name).append("=").append(show(value));
  };
  const auto duration = [](Duration d) { return amount(std::uint64_t(d.count()), time_units); };
  const auto rate = [](std::uint64_t r) { return amount(r, rate_units); };
  const auto number = [](std::uint64_t n) { return std::to_string(n); };
  field("loss", i.loss, usual.loss, probability);
  field("duplicate", i.duplicate, usual.duplicate, probability);
  field("corrupt", i.corrupt, usual.corrupt, probability);
  field("reorder", i.reorder, usual.reorder, probability);
  field("delay", i.delay, usual.delay, duration);
  field("jitter", i.jitter, usual.jitter, duration);
  field("rate", i.rate, usual.rate, rate);
  field("queue", i.queue, usual.queue, number);
  field("seed", i.seed, usual.seed, number);
  return text;
}

}  // namespace estab::fault
