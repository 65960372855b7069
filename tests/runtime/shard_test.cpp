// SPDX-License-Identifier: Apache-2.0
// The loop of one shard, with devices that the test plays.
#include "estab/runtime/shard.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <deque>

#include "estab/wire/ip.hpp"

namespace estab::runtime {
namespace {

namespace asio = boost::asio;

// A device without a descriptor: what the test puts in comes out, and it takes what it is told to.
struct Wire {
  std::deque<std::vector<std::byte>> arriving;
  std::vector<std::vector<std::byte>> sent;
  std::size_t room = SIZE_MAX, flushes = 0, receives = 0;
  std::errc failure{};
  std::function<void()> wake;
};

class PlayedDevice : public link::Device {
 public:
  explicit PlayedDevice(Wire& wire) : wire_(wire) {}
  [[nodiscard]] const link::DeviceInfo& info() const override { return info_; }
  std::size_t receive(PacketPool& pool, std::span<Packet> out, Instant) override {
    ++wire_.receives;
    if (wire_.failure != std::errc{}) throw std::system_error{std::make_error_code(wire_.failure)};
    std::size_t count = 0;
    for (; count < out.size() && !wire_.arriving.empty(); ++count) {
      const auto& bytes = wire_.arriving.front();
      out[count] = pool.allocate(bytes.size());
      std::ranges::copy(bytes, out[count].linear().begin());
      wire_.arriving.pop_front();
    }
    return count;
  }
  [[nodiscard]] bool ready() const override { return wire_.sent.size() < wire_.room; }
  void transmit(PacketPool&, Packet packet, Instant) override {
    std::vector<std::byte> bytes(packet.size());
    packet.copy_to(bytes);
    wire_.sent.push_back(std::move(bytes));
  }
  void flush() override { ++wire_.flushes; }
  void on_ready(std::function<void()> wake) override { wire_.wake = std::move(wake); }

 private:
  Wire& wire_;
  link::DeviceInfo info_{.name = "played"};
};

class ShardTest : public testing::Test, public Shard::Owner {
 protected:
  ShardTest() {
    shard = std::make_shared<Shard>(io.get_executor(), StackConfig{}, Secrets{}, *this);
    shard->add_device(std::make_unique<PlayedDevice>(wire), {*Prefix::parse("10.0.0.1/24")});
    settle();
  }
  ~ShardTest() override { shard->end(); }

  // Runs all that is due at once.
  void settle() {
    io.restart();
    while (io.poll() > 0) {}
  }
  ConnectionId open() {
    const auto id =
        shard->stack().connect({.remote = {Address::v4(10, 0, 0, 2), Port{7}}}, Shard::now());
    EXPECT_TRUE(id);
    shard->wake();
    return *id;
  }

  void notice(const Notice& n) override { notices.push_back(n); }
  void ended(std::error_code why) override { end = why; }

  asio::io_context io;
  Wire wire;
  std::shared_ptr<Shard> shard;
  std::vector<Notice> notices;
  std::error_code end;
};

TEST_F(ShardTest, what_a_call_owes_is_sent_in_a_turn_of_its_own) {
  open();
  EXPECT_TRUE(wire.sent.empty());
  settle();
  EXPECT_EQ(wire.sent.size(), 1u);
  EXPECT_GE(wire.flushes, 1u);
}

TEST_F(ShardTest, it_takes_nothing_and_sends_nothing_while_nothing_happens) {
  shard->hold();
  settle();
  const auto receives = wire.receives;
  for (int i = 0; i < 10; ++i) settle();
  EXPECT_EQ(wire.receives, receives);
  shard->release();
}

TEST_F(ShardTest, a_device_that_is_not_ready_holds_packets_back_until_it_says_that_it_is) {
  wire.room = 0;
  open(), open();
  settle();
  EXPECT_TRUE(wire.sent.empty());
  wire.room = 1;
  wire.wake();
  settle();
  EXPECT_EQ(wire.sent.size(), 1u);
  wire.room = SIZE_MAX;
  wire.wake();
  settle();
  EXPECT_EQ(wire.sent.size(), 2u);
}

TEST_F(ShardTest, more_than_a_batch_is_taken_in_several_turns) {
  for (int i = 0; i < 1000; ++i) wire.arriving.emplace_back(20, std::byte{});  // No IP: dropped.
  const auto receives = wire.receives;
  wire.wake();
  settle();
  EXPECT_TRUE(wire.arriving.empty());
  EXPECT_EQ(wire.receives, receives + 1000 / 256 + 1);
}

TEST_F(ShardTest, a_wake_during_a_turn_makes_another_turn) {
  int wakes = 0;
  shard->add_view([&](const Event&, Bytes) {
    if (++wakes == 1) wire.wake();
  });
  const auto receives = wire.receives;
  wire.arriving.emplace_back(20, std::byte{});
  wire.wake();
  settle();
  EXPECT_EQ(wire.receives, receives + 2);
}

TEST_F(ShardTest, it_runs_a_timer_at_the_stacks_deadline) {
  shard->hold();
  open();
  settle();
  EXPECT_EQ(wire.sent.size(), 1u);
  io.restart();
  while (wire.sent.size() < 2 && io.run_one_for(20s) > 0) {}  // The SYN again, after a second.
  EXPECT_EQ(wire.sent.size(), 2u);
  shard->release();
}

TEST_F(ShardTest, a_device_that_fails_ends_the_shard_and_its_owner_is_told) {
  open();
  wire.failure = std::errc::no_such_device;
  settle();
  EXPECT_EQ(end, std::errc::no_such_device);
  EXPECT_TRUE(shard->has_ended());
  io.restart();
  EXPECT_EQ(io.run(), 0u) << "nothing is left to wait for";
}

TEST_F(ShardTest, views_see_the_packets_of_a_turn) {
  std::vector<EventKind> seen;
  shard->add_view([&](const Event& event, Bytes) { seen.push_back(event.kind); });
  open();
  settle();
  EXPECT_EQ(seen, (std::vector{EventKind::transition, EventKind::sent}));
}

TEST_F(ShardTest, at_rest_it_lets_the_context_finish) {
  shard->hold();
  const auto id = open();
  settle();
  EXPECT_FALSE(io.stopped());
  (void)shard->stack().abort(id, Shard::now());
  shard->release();
  io.restart();
  io.run();
  EXPECT_TRUE(io.stopped());
}

// A device on a descriptor: one end of a packet socket pair.
class PairedDevice : public link::Device {
 public:
  explicit PairedDevice(int fd) : fd_(fd) {}
  ~PairedDevice() override { ::close(fd_); }
  [[nodiscard]] const link::DeviceInfo& info() const override { return info_; }
  std::size_t receive(PacketPool& pool, std::span<Packet> out, Instant) override {
    std::byte bytes[2048];
    const auto size = ::recv(fd_, bytes, sizeof bytes, MSG_DONTWAIT);
    if (size <= 0) return 0;
    out[0] = pool.allocate(std::size_t(size));
    std::copy_n(bytes, size, out[0].linear().begin());
    return 1;
  }
  [[nodiscard]] bool ready() const override { return true; }
  void transmit(PacketPool&, Packet packet, Instant) override {
    std::vector<std::byte> bytes(packet.size());
    packet.copy_to(bytes);
    EXPECT_EQ(::send(fd_, bytes.data(), bytes.size(), 0), ssize_t(bytes.size()));
  }
  [[nodiscard]] int descriptor() const override { return fd_; }

 private:
  int fd_;
  link::DeviceInfo info_{.name = "paired"};
};

TEST_F(ShardTest, packets_on_a_descriptor_wake_it) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends), 0);
  shard->add_device(std::make_unique<PairedDevice>(ends[0]), {*Prefix::parse("10.1.0.1/24")});
  shard->hold();
  settle();
  int seen = 0;
  shard->add_view([&](const Event& event, Bytes) { seen += event.kind == EventKind::dropped; });
  for (int i = 1; i <= 3; ++i) {
    const std::byte nonsense[20]{};
    ASSERT_EQ(::send(ends[1], nonsense, sizeof nonsense, 0), 20);
    while (seen < i && io.run_one_for(20s) > 0) {}
    EXPECT_EQ(seen, i);
  }
  shard->release();
  ::close(ends[1]);
}

}  // namespace
}  // namespace estab::runtime
