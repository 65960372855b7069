// SPDX-License-Identifier: Apache-2.0
// The ceiling: answers that keep the kernel's TCP content, made straight from the packet that came,
// with nothing kept, verified or timed, and text of zeros, whose sum is known. No TCP on this
// device answers sooner. In bulk inward a slower reader can pass it: it finds more packets waiting
// and sleeps less, and waking a reader costs the kernel's sender more than a packet does.
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <thread>

#include "estab/host/interface.hpp"
#include "estab/link/tun.hpp"
#include "estab/wire/ip.hpp"
#include "estab/wire/tcp.hpp"
#include "server.hpp"

namespace estab::bench {
namespace {

constexpr std::size_t mss = 1460;
constexpr std::uint8_t our_scale = 7;
constexpr int batch = 32;

struct Arrival {
  wire::IpHeader ip;
  wire::TcpHeader tcp;
  std::uint32_t text;
  // The number behind all that it holds.
  [[nodiscard]] Seq end() const { return tcp.seq + (text + tcp.flags.syn + tcp.flags.fin); }
};

class FakeServer final : public Server {
 public:
  explicit FakeServer(Service service)
      : service_(service), device_(link::tun({.name = "fake%d", .offload = false})) {
    host::add_address(device_->info().name, client_prefix);
    host::bring_up(device_->info().name);
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }

 private:
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd wait{.fd = device_->descriptor(), .events = POLLIN, .revents = 0};
      const bool idle = !can_send() && ::poll(&wait, 1, 20) == 0;
      if (idle && next_ != acked_) next_ = acked_;  // Something was lost; from there again.
      Arrival last{};
      for (int n = 0; n < batch; ++n) {
        const auto arrival = read();
        if (!arrival) break;
        if (service_ == Service::discard && arrival->text > 0) last = *arrival;
        else answer(*arrival);
      }
      if (last.text > 0) send(last, last.tcp.ack, {.ack = true}, 0);  // One ACK a batch.
      for (int n = 0; n < batch && can_send(); ++n) send_more();
    }
  }

  std::optional<Arrival> read() {
    const auto size = ::read(device_->descriptor(), room_.data(), room_.size());
    if (size <= 0) return std::nullopt;
    const auto packet = Bytes{room_}.first(std::size_t(size));
    const auto ip = wire::parse_ip(packet, packet.size());
    if (!ip || ip->protocol != wire::Protocol::tcp) return Arrival{};
    const auto tcp = wire::parse_tcp(packet.subspan(ip->header_length));
    if (!tcp) return Arrival{};
    return Arrival{*ip, tcp->header,
                   std::uint32_t(ip->total_length - ip->header_length - tcp->length)};
  }

  void answer(const Arrival& arrival) {
    const auto& flags = arrival.tcp.flags;
    if (flags.rst) sourcing_ = false;
    else if (flags.syn) open(arrival);
    else if (flags.fin) close(arrival);
    else if (service_ == Service::echo && arrival.text > 0)
      send(arrival, arrival.tcp.ack, {.psh = true, .ack = true}, arrival.text);
    else if (service_ == Service::source && flags.ack) hear_ack(arrival);
  }

  void open(const Arrival& syn) {
    scale_ = syn.tcp.options.window_scale.value_or(0);
    const Seq iss{1};
    send(syn, iss, {.syn = true, .ack = true}, 0);
    next_ = acked_ = iss + 1;
    window_ = 0;
  }
  void close(const Arrival& fin) {
    sourcing_ = false;
    send(fin, fin.tcp.ack, {.fin = true, .ack = true}, 0);
  }
  void hear_ack(const Arrival& ack) {
    peer_ = ack;
    sourcing_ = true;
    acked_ = ack.tcp.ack;
    window_ = std::uint32_t(ack.tcp.window) << scale_;
    if (next_ < acked_) next_ = acked_;
  }

  [[nodiscard]] bool can_send() const {
    return sourcing_ && (next_ - acked_) + std::int32_t(mss) <= std::int32_t(window_);
  }
  void send_more() {
    if (send(peer_, next_, {.ack = true}, mss)) next_ = next_ + mss;
  }

  // A segment to where `arrival` came from, acknowledging it; false: the device has no room.
  bool send(const Arrival& arrival, Seq seq, wire::Flags flags, std::uint32_t text) {
    wire::TcpHeader tcp{.source = arrival.tcp.destination,
                        .destination = arrival.tcp.source,
                        .seq = seq,
                        .ack = arrival.end(),
                        .flags = flags,
                        .window = 65535};
    if (flags.syn) tcp.options = {.mss = mss, .window_scale = our_scale};
    constexpr auto head_size = wire::ipv4_header_size;
    const auto tcp_size = wire::tcp_size(tcp);
    const wire::IpHeader ip{.source = arrival.ip.destination,
                            .destination = arrival.ip.source,
                            .protocol = wire::Protocol::tcp,
                            .header_length = head_size,
                            .total_length = std::uint32_t(head_size + tcp_size + text)};
    std::array<std::byte, head_size + wire::tcp_largest_header> head;
    const auto tcp_part = std::span{head}.subspan(head_size, tcp_size);
    wire::emit_ip(ip, head);
    wire::emit_tcp(tcp, tcp_part);
    auto sum = wire::pseudo_header(ip.source, ip.destination, ip.protocol, ip.payload_length());
    store_be(&tcp_part[wire::tcp_checksum_offset], sum.add(tcp_part).value());
    static std::array<std::byte, 64 << 10> zeros{};
    const std::array<iovec, 2> parts{{{head.data(), head_size + tcp_size}, {zeros.data(), text}}};
    return ::writev(device_->descriptor(), parts.data(), parts.size()) >= 0;
  }

  Service service_;
  std::unique_ptr<link::Device> device_;
  std::array<std::byte, 2048> room_{};
  // Of the one connection that a source serves.
  Arrival peer_{};
  bool sourcing_ = false;
  Seq next_, acked_;
  std::uint32_t window_ = 0;
  std::uint8_t scale_ = 0;
  std::jthread thread_;
};

}  // namespace

std::unique_ptr<Server> fake_server(Service service) {
  return std::make_unique<FakeServer>(service);
}

}  // namespace estab::bench
