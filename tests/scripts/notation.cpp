// SPDX-License-Identifier: Apache-2.0
#include "notation.hpp"

#include <fmt/format.h>

#include <charconv>
#include <sstream>
#include <stdexcept>

namespace estab::script {
namespace {

constexpr std::string_view flag_letters = "FSRP.UEW";

std::uint32_t to_number(std::string_view word) {
  std::int64_t value = 0;  // "-1" is the octet before the ISN.
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc{} || end != word.data() + word.size())
    throw std::invalid_argument(fmt::format("not a number: '{}'", word));
  return std::uint32_t(value);
}

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  std::string part;
  std::istringstream in{std::string(text)};
  while (std::getline(in, part, at))
    if (!part.empty()) parts.push_back(part);
  return parts;
}

std::uint8_t parse_flags(std::string_view word) {
  std::uint8_t flags = 0;
  for (const char letter : word) {
    const auto bit = flag_letters.find(letter);
    if (letter == '-') continue;  // No flag at all.
    if (bit == std::string_view::npos) throw std::invalid_argument(fmt::format("flags '{}'", word));
    flags |= std::uint8_t(1u << bit);
  }
  return flags;
}

// "7", "1:1001" or "1:1001(1000)".
void parse_range(std::string_view word, Spec& spec) {
  word = word.substr(0, word.find('('));
  const auto colon = word.find(':');
  spec.seq = to_number(word.substr(0, colon));
  const auto end = colon == std::string_view::npos ? *spec.seq : to_number(word.substr(colon + 1));
  spec.length = end - *spec.seq;
}

bool matches(const std::string& pattern, const std::string& actual) {
  const auto expected = split(pattern, ' '), words = split(actual, ' ');
  if (expected.size() != words.size()) return false;
  for (std::size_t i = 0; i < words.size(); ++i)
    if (expected[i] != "." && expected[i] != words[i]) return false;
  return true;
}

std::string join(const std::vector<std::string>& options) {
  return fmt::format("<{}>", fmt::join(options, ","));
}

std::string read_option(std::uint8_t kind, Bytes body, const Numbering& n) {
  const auto u32 = [&](std::size_t at) { return load_be<std::uint32_t>(&body[at]); };
  if (kind == 2 && body.size() == 2) return fmt::format("mss {}", load_be<std::uint16_t>(&body[0]));
  if (kind == 3 && body.size() == 1) return fmt::format("wscale {}", std::uint8_t(body[0]));
  if (kind == 4 && body.empty()) return "sackOK";
  if (kind == 5) {
    std::string text = "sack";
    for (std::size_t i = 0; i + 8 <= body.size(); i += 8)
      text += fmt::format(" {}:{}", u32(i) - n.receiver_iss, u32(i + 4) - n.receiver_iss);
    return text;
  }
  if (kind == 8 && body.size() == 8)
    return fmt::format("TS {} {}", u32(0) - n.sender_clock, u32(4) - n.receiver_clock);
  return fmt::format("kind {} of {} octets", kind, body.size() + 2);
}

class OctetWriter {
 public:
  OctetWriter& u8(unsigned v) { return out.push_back(std::byte(v)), *this; }
  OctetWriter& u16(std::uint32_t v) { return u8(v >> 8 & 255).u8(v & 255); }
  OctetWriter& u32(std::uint32_t v) { return u16(v >> 16).u16(v & 0xffff); }
  std::vector<std::byte> out;
};

void encode_option(OctetWriter& w, const std::string& option, const Numbering& n) {
  const auto words = split(option, ' ');
  const auto word = [&](std::size_t i) { return to_number(words.at(i)); };
  if (words.at(0) == "eol") w.u8(0);
  else if (words[0] == "nop") w.u8(1);
  else if (words[0] == "mss") w.u8(2).u8(4).u16(word(1));
  else if (words[0] == "wscale") w.u8(3).u8(3).u8(word(1));
  else if (words[0] == "sackOK") w.u8(4).u8(2);
  else if (words[0] == "TS")
    w.u8(8).u8(10).u32(word(1) + n.sender_clock).u32(word(2) + n.receiver_clock);
  else if (words[0] == "sack") {
    w.u8(5).u8(unsigned(2 + 8 * (words.size() - 1)));
    for (std::size_t i = 1; i < words.size(); ++i)
      for (const auto& edge : split(words[i], ':')) w.u32(to_number(edge) + n.receiver_iss);
  } else if (words[0] == "kind") {  // Any octets: "kind 254 4 1 2" is kind, length, body.
    for (std::size_t i = 1; i < words.size(); ++i) w.u8(word(i));
  } else {
    throw std::invalid_argument(fmt::format("option '{}'", option));
  }
}

}  // namespace

Spec parse_spec(std::string_view text) {
  Spec spec;
  if (const auto angle = text.find('<'); angle != std::string_view::npos) {
    spec.options = split(text.substr(angle + 1, text.find('>') - angle - 1), ',');
    for (auto& option : *spec.options) option.erase(0, option.find_first_not_of(' '));
    text = text.substr(0, angle);
  }
  const auto words = split(text, ' ');
  spec.flags = parse_flags(words.at(0));
  std::size_t i = 1;
  if (i < words.size() && words[i].find_first_of("-0123456789") == 0) parse_range(words[i++], spec);
  for (; i < words.size(); i += 2) {
    auto& field = words[i] == "ack"   ? spec.ack
                  : words[i] == "win" ? spec.window
                  : words[i] == "urg" ? spec.urgent
                                      : throw std::invalid_argument(std::string(text));
    field = to_number(words.at(i + 1));
  }
  return spec;
}

Segment read_segment(Bytes tcp, const Numbering& n) {
  const auto u16 = [&](std::size_t at) { return load_be<std::uint16_t>(&tcp[at]); };
  const auto u32 = [&](std::size_t at) { return load_be<std::uint32_t>(&tcp[at]); };
  const std::size_t header = (std::uint8_t(tcp[12]) >> 4) * 4u;
  Segment s{.flags = std::uint8_t(tcp[13]),
            .seq = u32(4) - n.sender_iss,
            .ack = u32(8) - n.receiver_iss,
            .window = u16(14),
            .urgent = u16(18),
            .length = std::uint32_t(tcp.size() - header),
            .options = {}};
  for (std::size_t at = 20; at < header;) {
    const auto kind = std::uint8_t(tcp[at]);
    if (kind < 2) {
      s.options.push_back(kind == 0 ? "eol" : "nop"), ++at;
      continue;
    }
    const std::size_t length = at + 1 < header ? std::uint8_t(tcp[at + 1]) : 0;
    if (length < 2 || at + length > header) {
      s.options.push_back(fmt::format("kind {} of illegal length {}", kind, length));
      break;
    }
    s.options.push_back(read_option(kind, tcp.subspan(at + 2, length - 2), n));
    at += length;
  }
  return s;
}

std::string spell(const Segment& s) {
  std::string text;
  for (const char letter : std::string_view("SFRPUEW."))
    if (s.flags >> flag_letters.find(letter) & 1) text += letter;
  if (text.empty()) text = "-";
  const auto seq = std::int32_t(s.seq);
  text += fmt::format(" {}:{}({})", seq, std::int64_t{seq} + s.length, s.length);
  if (s.flags & 16) text += fmt::format(" ack {}", std::int32_t(s.ack));
  text += fmt::format(" win {}", s.window);
  if (s.flags & 32) text += fmt::format(" urg {}", s.urgent);
  if (!s.options.empty()) text += " " + join(s.options);
  return text;
}

std::string difference(const Spec& e, const Segment& a) {
  std::string text;
  const auto compare = [&](const char* name, const std::optional<std::uint32_t>& wanted,
                           std::uint32_t seen) {
    if (wanted && *wanted != seen)
      text += fmt::format(" {} {} instead of {};", name, seen, *wanted);
  };
  if (e.flags != a.flags) text += " flags;";
  compare("seq", e.seq, a.seq);
  compare("length", e.length, a.length);
  if ((a.flags & 16) || e.ack) compare("ack", e.ack, a.ack);
  compare("win", e.window, a.window);
  compare("urg", e.urgent, a.urgent);
  if (e.options) {
    bool same = e.options->size() == a.options.size();
    for (std::size_t i = 0; same && i < a.options.size(); ++i)
      same = matches((*e.options)[i], a.options[i]);
    if (!same) text += fmt::format(" options instead of {};", join(*e.options));
  }
  return text;
}

std::vector<std::byte> encode_options(const std::vector<std::string>& options,
                                      const Numbering& numbering) {
  OctetWriter w;
  for (const auto& option : options) encode_option(w, option, numbering);
  while (w.out.size() % 4 != 0) w.u8(0);
  if (w.out.size() > 40) throw std::invalid_argument("options longer than 40 octets");
  return w.out;
}

}  // namespace estab::script
