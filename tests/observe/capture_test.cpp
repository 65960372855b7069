// SPDX-License-Identifier: Apache-2.0
#include "estab/observe/capture.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>

#include "tests/observe/scene.hpp"

namespace estab::observe {
namespace {

using namespace test;
using enum State;
namespace pcapng = wire::pcapng;

constexpr pcapng::WallTime start{std::chrono::seconds{1'700'000'000}};

struct Gathered {
  std::vector<std::byte> file;
  CaptureWriter writer{{.start = start, .interfaces = {"estab0"}}, [this](Bytes blocks) {
                         file.insert(file.end(), blocks.begin(), blocks.end());
                         return true;
                       }};
  auto a() {
    return Witnessed(from_a, [this](const Event& e, Bytes b) { EXPECT_TRUE(writer.event(e, b)); });
  }
  std::vector<pcapng::CapturedPacket> packets() {
    EXPECT_TRUE(writer.finish());
    pcapng::Reader reader{file};
    std::vector<pcapng::CapturedPacket> all;
    while (auto packet = reader.next()) all.push_back(std::move(*packet));
    EXPECT_EQ(reader.ending(), pcapng::Ending::complete);
    EXPECT_EQ(reader.interfaces().at(0).name, "estab0");
    return all;
  }
};

TEST(Capture, EachPacketSaysTheStatesAroundItAndWhy) {
  Gathered g;
  auto a = g.a();
  a.enter(0s, closed, syn_sent, Reason::user_active_open);
  a.sent(0s, by_a("S", 0, 0), syn_sent, Reason::send_syn);
  a.received(1500us, by_b("SA", 0, 1), syn_sent, established);
  a.enter(1500us, syn_sent, established, Reason::syn_ack_arrived);
  a.dropped(2ms, by_b("R", 9000, 0), established, Reason::rst_out_of_window);
  const auto packets = g.packets();
  ASSERT_EQ(packets.size(), 3u);
  EXPECT_EQ(packets[0].comment,
            "CLOSED -> SYN-SENT: The program connects: a SYN goes out. [RFC 9293 §3.10.1]\n"
            "SYN-SENT: Our SYN: it opens, and tells our first sequence number. [RFC 9293 §3.5]");
  EXPECT_EQ(packets[0].direction, pcapng::Direction::outbound);
  EXPECT_TRUE(std::ranges::equal(packets[0].data, datagram(by_a("S", 0, 0))));
  EXPECT_EQ(packets[1].comment,
            "SYN-SENT -> ESTABLISHED: The peer answered our SYN and knows our "
            "number: established. [RFC 9293 §3.10.7.3]");
  EXPECT_EQ(packets[1].direction, pcapng::Direction::inbound);
  EXPECT_EQ(packets[1].time, start + 1500us);
  EXPECT_EQ(packets[2].comment,
            "ESTABLISHED, dropped: A reset outside the window is dropped in "
            "silence. [RFC 5961 §3.2]");
}

TEST(Capture, AnEndThatNoPacketTellsGoesWithTheNextOfAnyFlowOrWithTheStatistics) {
  Gathered g;
  auto a = g.a();
  const Flow other{{end_a.address, Port{40001}}, end_b};
  Witnessed second(other, [&](const Event& e, Bytes b) { EXPECT_TRUE(g.writer.event(e, b)); });
  second.enter(1s, time_wait, closed, Reason::time_wait_over);
  a.sent(2s, by_a("A", 1, 1), established);
  a.enter(3s, established, closed, Reason::user_timeout);
  const auto packets = g.packets();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].comment,
            "10.77.0.2:40001 and 10.77.0.1:7: TIME-WAIT -> CLOSED: Twice the maximum segment "
            "lifetime has passed. [MUST-13]\nESTABLISHED");
  const std::string_view file{reinterpret_cast<const char*>(g.file.data()), g.file.size()};
  EXPECT_NE(file.find("ESTABLISHED -> CLOSED: The user timeout has run out."), file.npos);
}

TEST(Capture, ASinkThatRefusesEndsItAndIsNotAskedAgain) {
  int asked = 0;
  CaptureWriter writer{{.start = start, .interfaces = {}}, [&](Bytes) { return ++asked < 2; }};
  EXPECT_TRUE(writer.flush());
  std::vector<bool> taken;
  Witnessed a(from_a, [&](const Event& e, Bytes b) { taken.push_back(writer.event(e, b)); });
  for (int i = 0; i < 100; ++i) a.sent(0s, by_a("A", 1, 1, 1400), established);
  EXPECT_TRUE(taken.front());
  EXPECT_FALSE(taken.back());
  EXPECT_FALSE(writer.finish());
  EXPECT_EQ(asked, 2);
}

TEST(CaptureFile, AFullDiskIsToldAndLeavesWholeBlocksAlone) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("estab-capture-" + std::to_string(::getpid()) + ".pcapng");
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  const rlimit limit{100'000, old_limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  {
    CaptureFile capture{path, {.start = start, .interfaces = {"estab0"}}};
    bool taken = true;
    Witnessed a(from_a, [&](const Event& e, Bytes b) { taken = taken && capture.event(e, b); });
    for (int i = 0; i < 100; ++i) a.sent(0s, by_a("A", 1, 1, 1400), established);
    EXPECT_FALSE(taken);
    EXPECT_EQ(capture.error(), std::errc::file_too_large);
    EXPECT_FALSE(capture.finish());
  }
  ::setrlimit(RLIMIT_FSIZE, &old_limit);
  std::signal(SIGXFSZ, old_handler);
  std::ifstream in{path, std::ios::binary};
  const std::string bytes{std::istreambuf_iterator<char>{in}, {}};
  std::filesystem::remove(path);
  pcapng::Reader reader{as_bytes(bytes)};
  int packets = 0;
  while (reader.next()) ++packets;
  EXPECT_EQ(reader.ending(), pcapng::Ending::complete);
  EXPECT_GT(packets, 60);
  EXPECT_LT(packets, 100);
}

TEST(CaptureFile, APathThatCannotBeOpenedIsToldAtOnce) {
  CaptureFile capture{"/nonexistent/estab.pcapng", {}};
  EXPECT_EQ(capture.error(), std::errc::no_such_file_or_directory);
  EXPECT_FALSE(capture.flush());
}

}  // namespace
}  // namespace estab::observe
