// SPDX-License-Identifier: Apache-2.0
#include "kernel_syns.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <system_error>

#include "estab/fault/forged_syns.hpp"
#include "estab/host/interface.hpp"
#include "estab/host/namespace.hpp"
#include "estab/link/tun.hpp"
#include "estab/stack/stack.hpp"
#include "kernel_socket.hpp"

namespace estab::bench {
namespace {

constexpr std::size_t batch = 32;
const Prefix kernel_end{Address::v4(10, 77, 0, 1), 24}, our_end{Address::v4(10, 77, 0, 2), 24};
constexpr Port port{80};
const Prefix everywhere{Address::v4(0, 0, 0, 0), 0};
const Prefix sources{Address::v4(64, 0, 0, 0), 2};

std::chrono::nanoseconds processor_time() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec};
}

void set(const std::string& name, int value) {
  std::ofstream file("/proc/sys/net/" + name);
  if (!(file << value << std::flush)) throw Skipped("net/" + name + " may not be set here");
}

// The device, whose kernel's end is up and has an address.
std::unique_ptr<link::Device> device() {
  auto made = link::tun({.name = "syns%d"});
  const auto name = made->info().name;
  host::add_address(name, kernel_end);
  host::bring_up(name);
  return made;
}

// What one sample counts.
struct Count {
  std::uint64_t syns = 0, answers = 0;
  std::chrono::nanoseconds spent{};
  [[nodiscard]] Sample sample(const std::string& note) const {
    return {double(syns) / std::chrono::duration<double>(spent).count() / 1e6,
            fmt::format("{:.2f} answers a SYN{}", double(answers) / double(syns), note)};
  }
};

// A raw socket whose datagrams the kernel forwards to the device, headers as they are.
class RawSocket {
 public:
  RawSocket() : fd_(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW)) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "a raw socket");
  }
  ~RawSocket() { ::close(fd_); }
  RawSocket(RawSocket&&) = delete;
  void send(const Packet& datagram, const Address& to) const {
    sockaddr_in address{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {}, .sin_zero = {}};
    address.sin_addr.s_addr = htonl(to.to_v4());
    const auto octets = datagram.linear();
    (void)::sendto(fd_, octets.data(), octets.size(), 0,
                   reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }

 private:
  int fd_;
};

class ToDevice final : public PacketSink {
 public:
  ToDevice(link::Device& device, PacketPool& pool) : device_(device), pool_(pool) {}
  [[nodiscard]] bool ready(std::uint8_t) override { return device_.ready(); }
  void transmit(Packet packet) override {
    device_.transmit(pool_, std::move(packet), now);
    ++count;
  }
  std::uint64_t count = 0;
  Instant now{};

 private:
  link::Device& device_;
  PacketPool& pool_;
};

}  // namespace

Sample kernel_tun_syns(const Effort& effort, bool cookies_always) {
  const host::NetworkNamespace there;
  set("ipv4/tcp_syncookies", cookies_always ? 2 : 1);
  set("core/somaxconn", 4096);
  set("ipv4/tcp_max_syn_backlog", 4096);
  set("ipv4/conf/all/rp_filter", 0);
  set("ipv4/conf/default/rp_filter", 0);
  const auto tun = device();
  host::add_route(tun->info().name, everywhere);
  const auto listener = KernelSocket::listener({kernel_end.address, port});
  PacketPool pool;
  fault::ForgedSyns forged({.target = {kernel_end.address, port}, .sources = sources});
  std::array<Packet, batch> syns, answers;
  Count count;
  while (count.spent < effort.time()) {
    for (auto& syn : syns) syn = forged.next(pool);
    const auto begin = processor_time();
    for (auto& syn : syns) tun->transmit(pool, std::move(syn), {});
    tun->flush();
    for (std::size_t n; (n = tun->receive(pool, answers, {})) > 0;) count.answers += n;
    count.spent += processor_time() - begin;
    count.syns += batch;
    for (auto& answer : answers) answer = {};
  }
  return count.sample("");
}

Sample estab_tun_syns(const Effort& effort, bool cache) {
  const host::NetworkNamespace here;
  const auto tun = device();
  PacketPool pool;
  StackConfig config;
  config.tcp.syn_cookies = cache ? tcp::CookieUse::under_pressure : tcp::CookieUse::always;
  config.tcp.syn_rate_floor = 1 << 20;
  config.tcp.initial_rto = 3s;
  Stack stack(pool, config, {});
  stack.add_interface({.addresses = {our_end}});
  stack.add_route({everywhere, 0});
  Instant now{std::chrono::hours{1}};
  const auto listener = *stack.listen({our_end.address, port},
                                      {.half_open_limit = 8192, .rules = {}, .options = {}}, now);
  fault::ForgedSyns forged({.target = {our_end.address, port}, .sources = sources});
  const RawSocket sender;
  ToDevice sink(*tun, pool);
  std::array<Packet, batch> arrived;
  Count count;
  while (count.spent < effort.time()) {
    for (std::size_t n = 0; n < batch; ++n) sender.send(forged.next(pool), our_end.address);
    const auto begin = processor_time();
    now += cache ? Duration{7ms} : Duration{10us};
    for (std::size_t n; (n = tun->receive(pool, arrived, now)) > 0;) {
      for (auto& packet : std::span{arrived}.first(n)) packet.interface() = 0;
      stack.receive(std::span{arrived}.first(n), now);
      sink.now = now;
      stack.poll_transmit(sink, now);
      tun->flush();
    }
    count.spent += processor_time() - begin;
  }
  const auto info = *stack.status(listener);
  count.syns = info.syns;
  count.answers = sink.count;
  return count.sample(
      fmt::format(", {:.0f} % by cookie", 100.0 * double(info.cookies_sent) / double(info.syns)));
}

}  // namespace estab::bench
