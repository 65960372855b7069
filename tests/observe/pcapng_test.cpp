// SPDX-License-Identifier: Apache-2.0
#include "estab/wire/pcapng.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>

namespace estab::wire::pcapng {
namespace {

using File = std::vector<std::byte>;

const std::string payload = "a packet of odd size!";

File written() {
  File file;
  append_section(file, "estab");
  append_interface(file, {.snap_length = 96, .name = "estab0"});
  append_packet(file, {.time = WallTime{1'700'000'000'123'456'789ns},
                       .original_length = 400,
                       .direction = Direction::inbound,
                       .comment = "SYN-SENT -> ESTABLISHED",
                       .data = as_bytes(payload)});
  append_statistics(file, {.packets = 1, .comment = "over"});
  append_packet(file, {.time = WallTime{1ns},
                       .original_length = 0,
                       .direction = Direction::outbound,
                       .comment = "",
                       .data = {}});
  return file;
}

// Integers of the order that a foreign machine would write.
class Foreign {
 public:
  explicit Foreign(bool big) : big_(big) {}
  template <class T> Foreign& put(T value) {
    for (std::size_t i = 0; i < sizeof value; ++i)
      file.push_back(std::byte(std::uint64_t(value) >> 8 * (big_ ? sizeof value - 1 - i : i)));
    return *this;
  }
  Foreign& words(std::initializer_list<std::uint32_t> values) {
    for (const auto v : values) put(v);
    return *this;
  }
  File file;

 private:
  bool big_;
};

TEST(Pcapng, ReadsWhatItWrote) {
  const File file = written();
  Reader reader{file};
  const auto first = reader.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->time, WallTime{1'700'000'000'123'456'789ns});
  EXPECT_EQ(first->original_length, 400u);
  EXPECT_EQ(first->direction, Direction::inbound);
  EXPECT_EQ(first->comment, "SYN-SENT -> ESTABLISHED");
  EXPECT_TRUE(std::ranges::equal(first->data, as_bytes(payload)));
  ASSERT_EQ(reader.interfaces().size(), 1u);
  EXPECT_EQ(reader.interfaces()[0].name, "estab0");
  EXPECT_EQ(reader.interfaces()[0].link_type, link_type_raw);
  EXPECT_EQ(reader.interfaces()[0].snap_length, 96u);
  const auto second = reader.next();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->direction, Direction::outbound);
  EXPECT_TRUE(second->data.empty());
  EXPECT_FALSE(reader.next());
  EXPECT_EQ(reader.ending(), Ending::complete);
  EXPECT_EQ(reader.whole_bytes(), file.size());
}

TEST(Pcapng, ACutAtAnyByteLosesNoWholeBlockBeforeItAndIsSaid) {
  const File file = written();
  std::vector<std::size_t> boundaries{0};
  while (boundaries.back() < file.size())
    boundaries.push_back(boundaries.back() + std::size_t(file[boundaries.back() + 4]));
  for (std::size_t size = 4; size <= file.size(); ++size) {
    Reader reader{Bytes{file}.first(size)};
    while (reader.next()) {}
    const auto whole = *std::prev(std::ranges::upper_bound(boundaries, size));
    EXPECT_EQ(reader.whole_bytes(), whole) << "cut at " << size;
    EXPECT_EQ(reader.ending(), whole == size ? Ending::complete : Ending::cut_short)
        << "cut at " << size;
  }
}

TEST(Pcapng, ReadsBothByteOrdersAndMicroseconds) {
  for (const bool big : {false, true}) {
    Foreign f{big};
    f.words({0x0a0d0d0a, 28, 0x1a2b3c4d, 0x00010000, ~0u, ~0u, 28});
    f.put(1u).put(20u).put(std::uint16_t{1}).put(std::uint16_t{0}).put(262144u).put(20u);
    f.words({5, 24, 0, 0, 0, 24});  // Statistics: passed over.
    f.words({6, 36, 0, 0, 1'500'000, 4, 60, 0x01020304, 36});
    Reader reader{f.file};
    const auto packet = reader.next();
    ASSERT_TRUE(packet) << big;
    EXPECT_EQ(packet->time, WallTime{1500ms});
    EXPECT_EQ(packet->original_length, 60u);
    EXPECT_EQ(reader.interfaces()[0].link_type, link_type_ethernet);
    EXPECT_FALSE(reader.next());
    EXPECT_EQ(reader.ending(), Ending::complete);
  }
}

TEST(Pcapng, ReadsWhatTcpdumpWrites) {
  for (const bool big : {false, true})
    for (const auto& [magic, fraction] :
         {std::pair{0xa1b2c3d4u, 250'000u}, {0xa1b23c4du, 250'000'000u}}) {
      Foreign f{big};
      f.put(magic).put(std::uint16_t{2}).put(std::uint16_t{4}).words({0, 0, 65535, 101});
      f.words({10, fraction, 4, 60, 0xdeadbeef}).words({11, 0, 100, 100, 0});
      Reader reader{f.file};
      const auto packet = reader.next();
      ASSERT_TRUE(packet);
      EXPECT_EQ(packet->time, WallTime{10250ms});
      EXPECT_EQ(packet->data.size(), 4u);
      EXPECT_EQ(reader.interfaces()[0].link_type, link_type_raw);
      EXPECT_FALSE(reader.next());
      EXPECT_EQ(reader.ending(), Ending::cut_short);
    }
}

TEST(Pcapng, TimesKeepTheirNanosecondInEveryResolution) {
  const auto read = [](std::uint8_t resolution, std::uint64_t units) {
    Foreign f{false};
    f.words({0x0a0d0d0a, 28, 0x1a2b3c4d, 1, ~0u, ~0u, 28});
    f.words({1, 32, 101, 0, 9 | 1 << 16, resolution, 0, 32});
    f.words({6, 32, 0, std::uint32_t(units >> 32), std::uint32_t(units), 0, 0, 32});
    Reader reader{f.file};
    const auto packet = reader.next();
    return packet ? packet->time : WallTime::min();
  };
  EXPECT_EQ(read(3, 1500), WallTime{1500ms});
  EXPECT_EQ(read(12, 1'000'000'001'999), WallTime{1s + 1ns});
  EXPECT_EQ(read(0x80 | 10, 1536), WallTime{1500ms});
  EXPECT_EQ(read(0x80 | 63, 3ull << 62), WallTime{1500ms});
  EXPECT_GT(read(0, ~0ull), WallTime{std::chrono::hours{24 * 365 * 290}});  // And no overflow.
  EXPECT_EQ(read(20, 1), WallTime::min());
}

TEST(Pcapng, ABlockThatContradictsItselfIsMalformed) {
  const auto ending_with = [](std::initializer_list<std::uint32_t> block) {
    Foreign f{false};
    f.words({0x0a0d0d0a, 28, 0x1a2b3c4d, 1, ~0u, ~0u, 28}).words({1, 20, 101, 0, 20}).words(block);
    Reader reader{f.file};
    EXPECT_FALSE(reader.next());
    return reader.ending();
  };
  EXPECT_EQ(ending_with({9, 16, 0, 12}), Ending::malformed);              // Two lengths.
  EXPECT_EQ(ending_with({9, 8, 0, 0}), Ending::malformed);                // Under the least.
  EXPECT_EQ(ending_with({9, 13, 0, 0}), Ending::malformed);               // Not a multiple.
  EXPECT_EQ(ending_with({6, 32, 1, 0, 0, 0, 0, 32}), Ending::malformed);  // No interface 1.
  EXPECT_EQ(ending_with({6, 32, 0, 0, 0, 1, 0, 32}), Ending::malformed);  // Data past its end.
  EXPECT_EQ(ending_with({6, 16, 0, 16}), Ending::malformed);              // Too short.
  EXPECT_EQ(ending_with({9, 4096, 0, 0}), Ending::cut_short);
}

TEST(Pcapng, WhatIsNoCaptureIsSaid) {
  const std::string text = "GET / HTTP/1.1\r\n\r\n12345678";
  Reader reader{as_bytes(text)};
  EXPECT_FALSE(reader.next());
  EXPECT_EQ(reader.ending(), Ending::not_a_capture);
}

}  // namespace
}  // namespace estab::wire::pcapng
