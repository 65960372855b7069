// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/watch_kernel.hpp"

#include <algorithm>
#include <fstream>
#include <numeric>

#include "estab/base/siphash.hpp"
#include "estab/cli/commands.hpp"

namespace estab::cli {
namespace {

using observe::HandshakeGauges, observe::HandshakeStep, observe::HandshakeTally;

constexpr auto between_readings = std::chrono::milliseconds{500};

std::optional<std::uint64_t> counter(const KernelView& view, std::string_view name) {
  const auto at = std::ranges::find(view.counters, name, &host::KernelCounter::name);
  return at == view.counters.end() ? std::nullopt : std::optional(at->count);
}

// What was added since the last reading; 0 the first time, and where it began anew.
std::uint32_t growth(std::optional<std::uint64_t>& before, std::optional<std::uint64_t> now) {
  const auto grown = before && now && *now > *before ? *now - *before : 0;
  if (now) before = now;
  return std::uint32_t(std::min<std::uint64_t>(grown, UINT32_MAX));
}

// An unanswered SYN-ACK is sent again so often, after 1, 2, 4 … s, and waited for once more.
Milliseconds half_open_timeout() {
  std::ifstream file("/proc/sys/net/ipv4/tcp_synack_retries");
  unsigned retries = 5;
  file >> retries;
  return Milliseconds{((2u << std::min(retries, 16u)) - 1) * 1000};
}

std::uint32_t clamped(std::uint64_t n) {
  return std::uint32_t(std::min<std::uint64_t>(n, UINT32_MAX));
}

// `total` by weight, nothing lost: what is over after each share goes to the next.
std::vector<std::uint32_t> shared_out(std::uint32_t total, const std::vector<std::uint64_t>& by) {
  std::vector<std::uint32_t> shares(by.size());
  const auto sum = std::accumulate(by.begin(), by.end(), std::uint64_t{0});
  std::uint64_t weight = 0, given = 0;
  for (std::size_t i = 0; i < by.size() && sum > 0; ++i) {
    weight += by[i];
    const auto until = std::uint64_t(double(total) * double(weight) / double(sum) + 0.5);
    shares[i] = std::uint32_t(until - given);
    given = until;
  }
  return shares;
}

}  // namespace

std::size_t KernelHandshakes::FlowHash::operator()(const Flow& flow) const {
  // The kernel bounds how many there are.
  static constexpr HashKey fixed{0x6573746162, 0x7761746368};
  std::array<std::byte, 36> message;
  std::memcpy(message.data(), flow.remote.address.octets().data(), 16);
  std::memcpy(message.data() + 16, flow.local.address.octets().data(), 16);
  store_be(message.data() + 32, number(flow.remote.port));
  store_be(message.data() + 34, number(flow.local.port));
  return siphash(fixed, message);
}

KernelHandshakes::KernelHandshakes(const HashKey& key, OnReport on_report,
                                   std::vector<Endpoint> listeners)
    : on_report_(std::move(on_report)),
      listeners_(std::move(listeners)),
      board_(key, observe::HandshakeSource::kernel()) {}

bool KernelHandshakes::is_wanted(const Endpoint& listener) const {
  return listeners_.empty() || std::ranges::any_of(listeners_, [&](const Endpoint& l) {
           return l.port == listener.port &&
                  (l.address == listener.address || l.address.is_unspecified());
         });
}

void KernelHandshakes::take(const KernelView& view) {
  const Instant at{view.time.time_since_epoch()};
  auto listeners = listeners_of(view);
  std::erase_if(listeners, [&](const auto& l) { return !is_wanted(l.first().flow.local); });
  board_.advance(at, on_report_);
  ++readings_;
  auto shares = take_listeners(listeners, view, at);
  take_records(listeners, view, shares, at);
  take_counters(view, shares, at);
}

std::vector<KernelHandshakes::Share> KernelHandshakes::take_listeners(
    const std::vector<KernelListener>& listeners, const KernelView&, Instant at) {
  std::vector<Share> shares;
  HandshakeGauges all{.at = at, .half_open_timeout = half_open_timeout()};
  const auto add = [](std::optional<std::uint32_t>& sum, std::uint64_t more) {
    sum = clamped(sum.value_or(0) + more);
  };
  for (const auto& l : listeners) {
    const auto& local = l.first().flow.local;
    shares.push_back(
        {.listener = local, .full = l.half_open_limit > 0 && l.half_open >= l.half_open_limit});
    board_.observe(local, HandshakeGauges{.at = at,
                                          .half_open = clamped(l.half_open),
                                          .half_open_limit = clamped(l.half_open_limit),
                                          .accept_queue = clamped(l.accept_queue),
                                          .accept_limit = clamped(l.accept_limit),
                                          .half_open_timeout = all.half_open_timeout,
                                          .accepted = {}});
    add(all.half_open, l.half_open);
    add(all.half_open_limit, l.half_open_limit);
    add(all.accept_queue, l.accept_queue);
    add(all.accept_limit, l.accept_limit);
  }
  board_.observe(Endpoint{}, all);
  return shares;
}

void KernelHandshakes::take_records(const std::vector<KernelListener>& listeners,
                                    const KernelView& view, std::vector<Share>& shares,
                                    Instant at) {
  const auto listener_of = [&](const host::KernelSocket& record) -> std::optional<Endpoint> {
    std::optional<Endpoint> found;
    for (const auto& l : listeners) {
      const auto& local = l.first().flow.local;
      if (l.first().ipv6 != record.ipv6 || local.port != record.flow.local.port) continue;
      if (local == record.flow.local) return local;
      if (local.address.is_unspecified()) found = local;
    }
    return found;
  };
  for (const auto& socket : view.sockets) {
    if (socket.state != State::syn_received) continue;
    const auto listener = listener_of(socket);
    if (!listener) continue;
    const auto [record, is_new] = records_.try_emplace(socket.flow, Record{.listener = *listener});
    record->second.seen = readings_;
    // What was there before the first reading belongs to no moment that we know, but for the young.
    const auto age = host::estimated_age(socket);
    if (is_new && (readings_ > 1 || (age && *age < 1s)))
      board_.observe({at, HandshakeStep::syn, socket.flow});
  }
  std::erase_if(records_, [&](const auto& entry) {
    const auto& [flow, record] = entry;
    if (record.seen == readings_) return false;
    board_.observe({at, HandshakeStep::left, flow});
    const auto share = std::ranges::find(shares, record.listener, &Share::listener);
    if (share != shares.end()) ++share->left;
    return true;
  });
}

void KernelHandshakes::take_counters(const KernelView& view, const std::vector<Share>& shares,
                                     Instant at) {
  const auto lost = counter(view, "TCPReqQFullDrop").value_or(0);
  const HandshakeTally all{
      .at = at,
      .completed = growth(completed_, counter(view, "PassiveOpens")),
      .unseen_syns = growth(unseen_, counter(view, "SyncookiesSent").value_or(0) + lost),
      .unseen_completed = growth(unseen_completed_, counter(view, "SyncookiesRecv"))};
  std::vector<std::uint64_t> left(shares.size()), full(shares.size());
  const bool only = shares.size() == 1;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    left[i] = only ? 1 : shares[i].left;
    full[i] = only || shares[i].full ? 1 : 0;
  }
  // Where none is full now, one was a moment ago: who had most to do.
  if (std::ranges::all_of(full, [](auto n) { return n == 0; })) full = left;
  const auto seen = all.completed - std::min(all.completed, all.unseen_completed);
  const auto completed = shared_out(seen, left), unseen = shared_out(all.unseen_syns, full),
             by_cookie = shared_out(std::min(all.completed, all.unseen_completed), full);
  board_.observe(Endpoint{}, all);
  for (std::size_t i = 0; i < shares.size(); ++i)
    board_.observe(shares[i].listener, HandshakeTally{.at = at,
                                                      .completed = completed[i] + by_cookie[i],
                                                      .unseen_syns = unseen[i],
                                                      .unseen_completed = by_cookie[i]});
}

const observe::FloodReport* KernelHandshakes::report_of(const Endpoint& listener) const {
  const auto place = board_.watch().find(listener);
  if (place == 0) return nullptr;
  const auto& report = board_.watch().detectors()[place].report();
  return report.evidence.until == Instant{} ? nullptr : &report;
}

KernelSource::KernelSource(boost::asio::io_context& io, const HashKey& key,
                           KernelHandshakes::OnReport on_report, std::vector<Endpoint> listeners)
    : timer_(io), handshakes_(key, std::move(on_report), std::move(listeners)) {
  handshakes_.take(read_kernel_handshakes());
  ++readings_;
  read_again();
}

void KernelSource::read_again() {
  timer_.expires_after(between_readings);
  timer_.async_wait([this](boost::system::error_code cancelled) {
    if (cancelled) return;
    try {
      handshakes_.take(read_kernel_handshakes());
      ++readings_;
      trouble_.clear();
    } catch (const Failure& failure) { trouble_ = failure.what(); }
    read_again();
  });
}

std::vector<std::string> KernelSource::notes() const {
  std::vector<std::string> notes{
      "The kernel shows what is half-open, twice a second, and counts the rest for all listeners "
      "together: completions are shared out by what left each queue. Repeated SYNs, resets and "
      "text are not seen."};
  if (!trouble_.empty()) notes.push_back(trouble_);
  return notes;
}

}  // namespace estab::cli
