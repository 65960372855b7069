// SPDX-License-Identifier: Apache-2.0
// SYNs of a flood: answered by cookie alone, and through the SYN cache. In memory estab has them
// from a table; over TUN both stacks get the same ones, the kernel as written to its device, estab
// as the kernel forwards them from a raw socket.
#include <fmt/format.h>

#include "estab/fault/forged_syns.hpp"
#include "estab/stack/stack.hpp"
#include "heap.hpp"
#include "kernel_syns.hpp"
#include "rows.hpp"
#include "work.hpp"

namespace estab::bench {
namespace {

constexpr std::size_t batch = 32;
const Endpoint target{Address::v4(10, 0, 0, 1), Port{80}};

class Answers final : public PacketSink {
 public:
  [[nodiscard]] bool ready(std::uint8_t) override { return true; }
  void transmit(Packet packet) override { ++count, packet = {}; }
  std::uint64_t count = 0;
};

// The stack's time is such that each record is a second old before it has to go, and has no
// retransmission to make before.
class Syns final : public Work {
 public:
  explicit Syns(bool cache) : stack_(pool_, config(cache), {}), step_(cache ? 7ms : 10us) {
    stack_.add_interface({.addresses = {{target.address, 24}}});
    stack_.add_route({Prefix{Address::v4(0, 0, 0, 0), 0}, 0});
    listener_ =
        *stack_.listen(target, {.half_open_limit = cache_size, .rules = {}, .options = {}}, now_);
    fault::ForgedSyns forged(
        {.target = target, .sources = {Address::v4(64, 0, 0, 0), 2}, .timestamps = 0.5});
    for (std::size_t n = 0; n < table; ++n) {
      const Packet syn = forged.next(pool_);
      auto& octets = syns_.emplace_back();
      octets.size = syn.size();
      std::ranges::copy(syn.linear(), octets.bytes.begin());
    }
  }

  void run(std::size_t count) override {
    for (std::size_t n = 0; n < count; n += batch) {
      // The table and the lists have grown to what they need.
      if (stack_.status(listener_)->syns < 2 * cache_size) allocations_ = 0;
      for (auto& packet : arrived_) {
        const auto& syn = syns_[at_++ % table];
        packet = pool_.allocate(syn.size);
        std::memcpy(packet.linear().data(), syn.bytes.data(), syn.size);
        packet.interface() = 0;
      }
      now_ += step_;
      const auto allocations = heap_allocations();
      stack_.receive(arrived_, now_);
      stack_.poll_transmit(answers_, now_);
      allocations_ += heap_allocations() - allocations;
    }
  }
  [[nodiscard]] std::string note() const override {
    const auto info = *stack_.status(listener_);
    return fmt::format("{} allocations for {} SYNs, {:.0f} % by cookie, {:.2f} answers a SYN",
                       allocations_, info.syns,
                       100.0 * double(info.cookies_sent) / double(info.syns),
                       double(answers_.count) / double(info.syns));
  }

 private:
  static constexpr std::size_t table = 2 * 8192;  // More than the cache holds.
  static constexpr std::uint32_t cache_size = 8192;
  struct Octets {
    std::array<std::byte, 64> bytes;
    std::size_t size;
  };
  static StackConfig config(bool cache) {
    StackConfig config;
    config.tcp.syn_cookies = cache ? tcp::CookieUse::under_pressure : tcp::CookieUse::always;
    config.tcp.syn_rate_floor = 1 << 20;
    config.tcp.initial_rto = 3s;
    return config;
  }

  PacketPool pool_;
  Stack stack_;
  Duration step_;
  ListenerId listener_;
  Answers answers_;
  Instant now_{std::chrono::hours{1}};
  std::vector<Octets> syns_;
  std::array<Packet, batch> arrived_;
  std::size_t at_ = 0;
  std::uint64_t allocations_ = 0;
};

}  // namespace

std::unique_ptr<Work> syns(bool cache) { return std::make_unique<Syns>(cache); }

namespace {

Candidate in_memory(bool cache) {
  return {"estab", [=](const Effort& effort) {
            const auto work = syns(cache);
            const double figure = rate(*work, effort) / 1e6;
            return Sample{figure, work->note()};
          }};
}

}  // namespace

std::vector<Row> syn_rows() {
  const std::string settings =
      "forged SYNs, MSS, SACK and scale, half with timestamps; one thread, its processor time; in "
      "batches of at most 32; over TUN with its system calls; ";
  return {
      {.name = "syn/stateless",
       .unit = "M SYN/s",
       .settings = settings + "estab: cookie alone; kernel: tcp_syncookies=2",
       .candidates = {in_memory(false),
                      {"estab-tun", [](const Effort& e) { return estab_tun_syns(e, false); }},
                      {"kernel-tun", [](const Effort& e) { return kernel_tun_syns(e, true); }}}},
      {.name = "syn/cache",
       .unit = "M SYN/s",
       .settings = settings + "estab: 8192 records, the oldest goes; kernel: tcp_syncookies=1, "
                              "somaxconn 4096, the rest by cookie",
       .candidates = {in_memory(true),
                      {"estab-tun", [](const Effort& e) { return estab_tun_syns(e, true); }},
                      {"kernel-tun", [](const Effort& e) { return kernel_tun_syns(e, false); }}}}};
}

}  // namespace estab::bench
