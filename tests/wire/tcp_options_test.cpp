// SPDX-License-Identifier: Apache-2.0
#include "estab/wire/tcp.hpp"

#include "wire_samples.hpp"

namespace estab::wire {
namespace {

// A segment with these octets for options, padded to a multiple of four with `padding`.
Octets segment(Octets list, Flags flags = {.syn = true}, std::byte padding = {}) {
  list.resize((list.size() + 3) / 4 * 4, padding);
  Octets s(tcp_header_size);
  octet(s, 12) = std::uint8_t((5 + list.size() / 4) << 4);
  octet(s, 13) = flags.octet();
  s.insert(s.end(), list.begin(), list.end());
  return s;
}

Options options_of(const Octets& list, Flags flags = {.syn = true}) {
  const auto result = parse_tcp(segment(list, flags));
  EXPECT_TRUE(result);
  return result ? result->header.options : Options{};
}

Octets list(std::initializer_list<int> octets) {
  Octets o;
  append(o, octets);
  return o;
}

constexpr Flags every_kind_of_segment[] = {{.syn = true},
                                           {.syn = true, .ack = true},
                                           {.ack = true},
                                           {.fin = true, .ack = true},
                                           {.rst = true},
                                           {.psh = true, .ack = true},
                                           {.ack = true, .urg = true}};

TEST(TcpOptions, Must4EndOfListNoOperationAndMssAreKnown) {
  EXPECT_EQ(options_of(list({2, 4, 0x05, 0xb4})).mss, 1460);
  EXPECT_EQ(options_of(list({1, 1, 2, 4, 0x05, 0xb4})).mss, 1460);
  EXPECT_EQ(options_of(list({0, 0, 2, 4, 0x05, 0xb4})).mss, std::nullopt);
}

TEST(TcpOptions, Must5AnOptionMayArriveInAnySegment) {
  for (const auto flags : every_kind_of_segment) {
    const auto o = options_of(list({2, 4, 5, 180, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}), flags);
    EXPECT_EQ(o.mss, 1460);
    EXPECT_EQ(o.timestamps, (Timestamps{1, 2}));
  }
}

TEST(TcpOptions, Must6UnknownOptionsArePassedOverByTheirLength) {
  for (int kind = 9; kind < 256; ++kind)
    for (int length = 2; length <= 36; ++length) {
      Octets o = list({kind, length});
      o.resize(std::size_t(length), std::byte{2});  // A body that looks like an MSS.
      append(o, {2, 4, 5, 180});
      ASSERT_EQ(options_of(o).mss, 1460) << kind << ' ' << length;
    }
}

// Whether a segment with these options is refused for them.
bool refused(const Octets& list) {
  const auto result = parse_tcp(segment(list, {.ack = true}, std::byte{1}));
  EXPECT_TRUE(result || result.error() == Reason::tcp_option_length);
  return !result;
}

TEST(TcpOptions, Must7ALengthUnderTwoOrPastTheEndSpoilsTheSegment) {
  for (int kind = 2; kind < 256; ++kind)
    for (int length = 0; length < 256; ++length) {
      if (length >= 2 && length <= 8) continue;  // 8 octets are left.
      ASSERT_TRUE(refused(list({2, 4, 5, 180, kind, length, 3, 3, 7, 1, 1, 1})))
          << kind << ' ' << length;
    }
  EXPECT_TRUE(refused(list({2, 4, 5, 180, 1, 1, 1, 8}))) << "no length";
}

TEST(TcpOptions, Must7ALengthThatIsNotItsKindsSpoilsTheSegment) {
  const auto legal = [](int kind, int length) {
    switch (kind) {
      case 2:  return length == 4;
      case 3:  return length == 3;
      case 4:  return length == 2;
      case 5:  return length % 8 == 2;
      case 8:  return length == 10;
      default: return true;
    }
  };
  for (int kind = 2; kind < 256; ++kind)
    for (int length = 2; length <= 40; ++length) {
      Octets o = list({kind, length});
      o.resize(std::size_t(length), std::byte{1});
      ASSERT_EQ(refused(o), !legal(kind, length)) << kind << ' ' << length;
    }
}

TEST(TcpOptions, Must64OptionsMayBeginAtAnyOctet) {
  Random random{1};
  for (int i = 0; i < 2000; ++i) {
    Octets o;
    const auto pad = [&] {
      for (auto n = random.below(4); n > 0; --n) o.push_back(std::byte{1});
    };
    pad(), append(o, {2, 4, 5, 180});
    pad(), append(o, {3, 3, 7});
    pad(), append(o, {4, 2});
    pad(), append(o, {8, 10, 1, 2, 3, 4, 5, 6, 7, 8});
    pad();
    const auto got = options_of(o);
    ASSERT_EQ(got, (Options{.mss = 1460,
                            .window_scale = 7,
                            .sack_permitted = true,
                            .timestamps = Timestamps{0x01020304, 0x05060708}}));
  }
}

TEST(TcpOptions, OfARepeatedOptionTheFirstCounts) {
  EXPECT_EQ(options_of(list({2, 4, 5, 180, 2, 4, 0, 1})).mss, 1460);
  EXPECT_EQ(options_of(list({3, 3, 7, 3, 3, 9})).window_scale, 7);
  auto o = list({8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 8, 10, 0, 0, 0, 3, 0, 0, 0, 4});
  EXPECT_EQ(options_of(o).timestamps, (Timestamps{1, 2}));
  o = list({5, 10, 0, 0, 0, 1, 0, 0, 0, 2, 5, 10, 0, 0, 0, 3, 0, 0, 0, 4});
  EXPECT_EQ(options_of(o).sack_count, 1);
  EXPECT_EQ(options_of(o).sack[0], (SackBlock{Seq{1}, Seq{2}}));
}

TEST(TcpOptions, FourSackBlocksFillTheOptionsAndAreAllRead) {
  auto o = list({1, 1, 5, 34});
  for (int i = 1; i <= 8; ++i) append(o, {0, 0, 0, i});
  const auto got = options_of(o, {.ack = true});
  ASSERT_EQ(got.sack_count, 4);
  for (std::uint32_t i = 0; i < 4; ++i)
    EXPECT_EQ(got.sack[i], (SackBlock{Seq{2 * i + 1}, Seq{2 * i + 2}}));
}

TEST(TcpOptions, AWindowScaleOfAnyValueIsHandedOn) {
  for (int shift = 0; shift < 256; ++shift)
    EXPECT_EQ(options_of(list({3, 3, shift})).window_scale, shift);
}

TEST(TcpOptions, TheSynCarriesThemInLinuxsOrder) {
  const TcpHeader full{
      .flags = {.syn = true},
      .options = {
          .mss = 1460, .window_scale = 7, .sack_permitted = true, .timestamps = Timestamps{1, 0}}};
  Octets out(tcp_size(full));
  emit_tcp(full, out);
  EXPECT_EQ(Octets(out.begin() + 20, out.end()),
            list({2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7}));
  const TcpHeader plain{.flags = {.syn = true},
                        .options = {.mss = 1460, .window_scale = 7, .sack_permitted = true}};
  out.resize(tcp_size(plain));
  emit_tcp(plain, out);
  EXPECT_EQ(Octets(out.begin() + 20, out.end()), list({2, 4, 5, 180, 1, 1, 4, 2, 1, 3, 3, 7}));
}

// Every set of options that fits a header.
template <class F>
void for_each_set(F&& f) {
  for (int bits = 0; bits < 16; ++bits)
    for (std::uint8_t sacks = 0; sacks <= 4; ++sacks) {
      Options o;
      if (bits & 1) o.mss = 1460;
      if (bits & 2) o.window_scale = 7;
      o.sack_permitted = bits & 4;
      if (bits & 8) o.timestamps = {1, 2};
      o.sack_count = sacks;
      const int octets = bool(o.mss) * 4 + bool(o.window_scale) * 4 + sacks * 8 + (sacks > 0) * 4 +
                         (o.timestamps ? 12 : o.sack_permitted * 4);
      if (octets <= 40) f(TcpHeader{.options = o});
    }
}

TEST(TcpOptions, Must68And69EachEmittedOptionHasItsLengthAndNothingIsPaddedWithRubbish) {
  for_each_set([](const TcpHeader& h) {
    Octets out(tcp_size(h), std::byte{0xee});
    emit_tcp(h, out);
    for (std::size_t at = 20; at < out.size();) {
      // No End-of-List is ever emitted, hence no padding behind one: No-Operation fills up.
      ASSERT_NE(octet(out, at), 0);
      if (octet(out, at) == 1) ++at;
      else at += octet(out, at + 1);
      ASSERT_LE(at, out.size());
    }
    ASSERT_EQ(parse_tcp(out)->header, h);
  });
}

// The RFC's rules once more, as a state that each octet moves: the parser's independent twin. None:
// a length is illegal.
std::optional<Options> twin(Bytes o) {
  constexpr std::array<std::size_t, 9> exact{0, 0, 4, 3, 2, 0, 0, 0, 10};
  Options result;
  std::size_t at = 0;
  const auto word = [&](std::size_t i) { return load_be<std::uint32_t>(&o[i]); };
  while (at < o.size() && o[at] != std::byte{0}) {
    if (o[at] == std::byte{1}) {
      ++at;
      continue;
    }
    const std::size_t length = at + 1 < o.size() ? std::size_t(o[at + 1]) : 0;
    if (length < 2 || at + length > o.size()) return {};
    const std::size_t kind = std::size_t(o[at]);
    if (kind < exact.size() && exact[kind] != 0 && length != exact[kind]) return {};
    if (kind == 5 && length % 8 != 2) return {};
    if (kind == 2 && !result.mss) result.mss = load_be<std::uint16_t>(&o[at + 2]);
    if (kind == 3 && !result.window_scale) result.window_scale = std::uint8_t(o[at + 2]);
    if (kind == 4) result.sack_permitted = true;
    if (kind == 8 && !result.timestamps) result.timestamps = Timestamps{word(at + 2), word(at + 6)};
    if (kind == 5 && result.sack_count == 0)
      for (std::size_t i = at + 2; i < at + length && result.sack_count < 4; i += 8)
        result.sack[result.sack_count++] = {Seq{word(i)}, Seq{word(i + 4)}};
    at += length;
  }
  return result;
}

void expect_as_twin(const Octets& o) {
  const auto s = segment(o);
  const auto result = parse_tcp(s);
  const auto expected = twin(Bytes{s}.subspan(20));
  ASSERT_EQ(result.has_value(), expected.has_value());
  if (result) ASSERT_EQ(result->header.options, *expected);
  else ASSERT_EQ(result.error(), Reason::tcp_option_length);
}

// Nothing follows the first `length` octets.
void end_list(Octets& o, std::size_t length) {
  if (length < o.size()) o[length] = std::byte{0};
}

TEST(TcpOptions, AllListsOfOneOptionAreReadAsTheRfcSays) {
  Random random{2};
  Octets noise(40);
  for (auto& b : noise) b = std::byte(random());
  for (int kind = 0; kind < 256; ++kind)
    for (int length = 0; length < 256; ++length) {
      Octets o = noise;
      end_list(o, std::size_t(length));
      o[0] = std::byte(kind), o[1] = std::byte(length);
      expect_as_twin(o);
      if (HasFatalFailure()) return;
    }
}

TEST(TcpOptions, AllListsOfTwoOptionsAreReadAsTheRfcSays) {
  Random random{3};
  Octets noise(40);
  for (auto& b : noise) b = std::byte(random());
  for (int first = 2; first <= 9; ++first)
    for (int length = 2; length <= 38; ++length)
      for (int second = 0; second <= 9; ++second)
        for (int second_length = 0; second_length <= 41; ++second_length) {
          Octets o = noise;
          end_list(o, std::size_t(length + second_length));
          o[0] = std::byte(first), o[1] = std::byte(length);
          o[std::size_t(length)] = std::byte(second);
          o[std::size_t(length) + 1] = std::byte(second_length);
          expect_as_twin(o);
          if (HasFatalFailure()) return;
        }
}

TEST(TcpOptions, Must7AMillionRandomListsAreReadAsTheRfcSays) {
  Random random{4};
  Octets o(40);
  for (int i = 0; i < rounds(1000000); ++i) {
    // Small values are kinds and lengths that mean something; the rest is noise.
    for (auto& b : o) b = std::byte(random.chance(0.8) ? random.below(12) : random());
    expect_as_twin(o);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace estab::wire
