// SPDX-License-Identifier: Apache-2.0
#include "transfer.hpp"

#include <algorithm>

namespace estab::sim {
namespace {

constexpr Port service{7};
constexpr Secrets secrets{
    .initial_sequence = {1, 2}, .ports = {3, 4}, .timestamps = {5, 6}, .table = {7, 8}};

Address address(bool sender) { return Address::v4(10, 0, 0, sender ? 1 : 2); }

bool is_retransmission(Reason reason) {
  return reason == Reason::retransmit_timeout || reason == Reason::retransmit_fast ||
         reason == Reason::retransmit_sack || reason == Reason::retransmit_partial ||
         reason == Reason::retransmit_mtu;
}

class Transfer {
 public:
  explicit Transfer(const TransferConfig& config)
      : config_(config), sender_(*this, true), receiver_(*this, false), text_(config.bytes) {
    Random random{1};
    for (auto& byte : text_) byte = std::byte(random());
  }

  TransferResult run() {
    listener_ = *receiver_.stack.listen({address(false), service}, {}, now_);
    client_ = *sender_.stack.connect({.remote = {address(false), service}}, now_);
    work();
    while (!result_.complete && result_.violation.empty()) {
      const Instant next = std::max(now_, next_deadline());
      if (next == never) result_.violation = "nothing is due, and the transfer is not complete";
      if (next > begin_ + config_.longest) break;
      now_ = next;
      work();
    }
    result_.took = now_ - begin_;
    result_.overflowed = sender_.out.counters().overflowed + receiver_.out.counters().overflowed;
    return result_;
  }

 private:
  struct Host final : PacketSink {
    Host(Transfer& t, bool is_the_sender)
        : transfer(t),
          is_sender(is_the_sender),
          stack(t.pool_, t.config_.stack, secrets),
          out({.delay = t.config_.rtt / 2, .rate = t.config_.rate, .queue = t.config_.queue}) {
      stack.add_interface({.addresses = {{address(is_sender), 24}},
                           .mtu = t.config_.mtu,
                           .largest_segment = t.config_.mtu});
      stack.log().enable(OfferedWindows::headers);
    }
    bool ready(std::uint8_t) override { return true; }
    void transmit(Packet packet) override { transfer.leaves(*this, std::move(packet)); }

    Transfer& transfer;
    bool is_sender;
    Stack stack;
    fault::FaultyPath out;
    OfferedWindows windows;
    std::vector<Packet> arrived;
  };

  [[nodiscard]] Instant next_deadline() const {
    return std::min({sender_.stack.next_deadline(), receiver_.stack.next_deadline(),
                     sender_.out.next_deadline(), receiver_.out.next_deadline()});
  }

  void work() {
    deliver(sender_, receiver_);
    deliver(receiver_, sender_);
    write();
    read();
    for (Host* host : {&sender_, &receiver_}) {
      (void)host->stack.poll_transmit(*host, now_);
      look(*host);
    }
  }

  void deliver(Host& from, Host& to) {
    while (auto packet = from.out.pop(now_)) {
      packet->interface() = 0;
      packet->offload() = {};
      to.arrived.push_back(std::move(*packet));
    }
    if (!to.arrived.empty()) to.stack.receive(to.arrived, now_);
    to.arrived.clear();
  }

  void leaves(Host& from, Packet packet) {
    violated(check_datagram(packet, config_.mtu));
    const bool is_data = from.is_sender && packet.size() > 100;
    if (is_data && std::ranges::count(config_.lost, data_segments_++) > 0) return;
    for (const auto& outage : config_.outages)
      if (now_ >= begin_ + outage.begin && now_ < begin_ + outage.begin + outage.length) return;
    from.out.push(pool_, std::move(packet), now_);
  }

  void write() {
    const auto info = sender_.stack.status(client_, now_);
    if (!info || info->state != State::established) return;
    while (written_ < config_.bytes) {
      const auto taken = sender_.stack.send(client_, Bytes{text_}.subspan(written_), {}, now_);
      if (!taken) return;
      written_ += *taken;
    }
    if (!std::exchange(closed_, true)) (void)sender_.stack.shutdown(client_, now_);
  }

  void read() {
    if (!server_)
      if (const auto id = receiver_.stack.accept(listener_)) server_ = *id;
    if (!server_) return;
    for (;;) {
      const auto got = receiver_.stack.receive(*server_, buffer_, now_);
      if (!got) return;
      if (*got == 0) {
        result_.complete = read_ == config_.bytes;
        if (!result_.complete) violated("the end was read before the last byte");
        return;
      }
      if (*got > config_.bytes - read_) return violated("more was read than was written");
      if (!std::equal(buffer_.begin(), buffer_.begin() + std::ptrdiff_t(*got),
                      text_.begin() + std::ptrdiff_t(read_)))
        violated("a byte was read with another value");
      read_ += *got;
    }
  }

  void look(Host& host) {
    host.stack.log().drain([&](const Event& event, Bytes packet) {
      violated(host.windows.look_at(event, packet));
      const bool is_data = host.is_sender && event.kind == EventKind::sent && event.length > 100;
      if (!is_data) return;
      ++result_.sent;
      result_.again += is_retransmission(event.reason);
      result_.by_timeout += event.reason == Reason::retransmit_timeout;
    });
    violated(check_stack(host.stack, now_));
    if (!host.is_sender) return;
    if (const auto info = host.stack.status(client_, now_))
      result_.largest_flight = std::max<std::uint64_t>(result_.largest_flight, info->flight);
  }

  void violated(const std::string& what) {
    if (result_.violation.empty()) result_.violation = what;
  }

  const TransferConfig& config_;
  PacketPool pool_;
  const Instant begin_{1000s};
  Instant now_ = begin_;
  Host sender_, receiver_;
  ListenerId listener_;
  ConnectionId client_;
  std::optional<ConnectionId> server_;
  std::vector<std::byte> text_, buffer_ = std::vector<std::byte>(65536);
  std::uint64_t written_ = 0, read_ = 0, data_segments_ = 0;
  bool closed_ = false;
  TransferResult result_;
};

}  // namespace

TransferResult transfer(const TransferConfig& config) { return Transfer(config).run(); }

}  // namespace estab::sim
