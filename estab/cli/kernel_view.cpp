// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/kernel_view.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <system_error>
#include <tuple>

#include "estab/cli/commands.hpp"

namespace estab::cli {
namespace {

struct CounterText {
  std::string_view name, sentence;
};
constexpr CounterText counter_texts[] = {
    {"ListenOverflows", "A SYN or a final ACK found the accept queue full."},
    {"ListenDrops", "A SYN or a final ACK was dropped, for any reason."},
    {"TCPReqQFullDoCookies", "The half-open queue was full: a cookie went out."},
    {"TCPReqQFullDrop", "The half-open queue was full: the SYN was dropped."},
    {"SyncookiesSent", "A SYN was answered by a cookie."},
    {"SyncookiesRecv", "A final ACK brought a valid cookie."},
    {"SyncookiesFailed", "A final ACK brought no valid cookie."},
    {"EmbryonicRsts", "A half-open record ended by a reset."},
    {"TCPSynRetrans", "A SYN or a SYN-ACK was sent again."},
    {"TCPTimeouts", "A retransmission timer ran out."},
};

auto place(const host::KernelSocket& s) {
  return std::tuple(s.state, s.ipv6, s.flow.local, s.interface, s.flow.remote, s.inode);
}

// Whether a half-open record on this end, interface and family may be the listener's.
bool takes(const KernelListener& listener, const host::KernelSocket& record) {
  const auto& l = listener.first();
  return l.ipv6 == record.ipv6 && l.flow.local.port == record.flow.local.port &&
         (l.flow.local.address.is_unspecified() || l.flow.local == record.flow.local) &&
         (l.interface == 0 || l.interface == record.interface);
}
// The kernel prefers a listener on the very address, then one on the interface.
auto nearness(const KernelListener& listener) {
  return std::pair(!listener.first().flow.local.address.is_unspecified(),
                   listener.first().interface != 0);
}

void add_record(KernelListener& listener, const host::KernelSocket& record) {
  ++listener.half_open;
  if (const auto age = estimated_age(record))
    listener.oldest_half_open = std::max(listener.oldest_half_open.value_or(Duration{}), *age);
}

void add_socket(KernelListener& listener, const host::KernelSocket& socket,
                const host::SynLimits& limits) {
  listener.sockets.push_back(socket);
  listener.accept_queue += socket.receive_queue;
  listener.accept_limit += socket.send_queue;
  listener.half_open_limit += limits.half_open_limit(socket.send_queue);
  listener.drops += socket.drops;
}

// Of whom each listener's records are.
void count_sources(KernelListener& listener, std::set<Address>& sources) {
  std::set<Address> prefixes;
  for (const auto& source : sources) prefixes.insert(source.prefix(source.is_v4() ? 24 : 56));
  listener.sources = sources.size();
  listener.prefixes = prefixes.size();
}

std::vector<host::KernelCounter> chosen_counters() {
  auto counters = host::kernel_tcp_counters();
  std::erase_if(counters, [](const auto& c) { return counter_sentence(c.name).empty(); });
  return counters;
}

KernelView read_sockets(std::vector<host::KernelSocket> sockets) {
  KernelView view{.time = std::chrono::system_clock::now(),
                  .sockets = std::move(sockets),
                  .counters = chosen_counters(),
                  .limits = host::kernel_syn_limits()};
  std::ranges::sort(view.sockets, {}, place);
  return view;
}

KernelView or_failure(const auto& read) {
  try {
    return read();
  } catch (const std::system_error& error) {
    throw Failure(std::string(error.what()) +
                  "\nIt needs netlink's sock_diag (module tcp_diag), which a sandbox may forbid, "
                  "and /proc.");
  }
}

}  // namespace

KernelView read_kernel(bool with_owners) {
  return or_failure([&] {
    auto view = read_sockets(host::kernel_tcp_sockets());
    if (with_owners) view.owners = host::socket_owners();
    return view;
  });
}

KernelView read_kernel_handshakes() {
  return or_failure([] {
    auto view = read_sockets(host::kernel_tcp_sockets(State::listen | State::syn_received));
    for (auto& counter : host::kernel_tcp_counters("Tcp"))
      if (counter.name == "PassiveOpens") view.counters.push_back(std::move(counter));
    return view;
  });
}

std::vector<KernelListener> listeners_of(const KernelView& view) {
  std::vector<KernelListener> listeners;
  std::multimap<Port, std::size_t> by_port;
  for (const auto& socket : view.sockets) {
    if (socket.state != State::listen) continue;
    const auto same = [&](const host::KernelSocket& other) {
      return other.flow.local == socket.flow.local && other.ipv6 == socket.ipv6 &&
             other.interface == socket.interface;
    };
    if (listeners.empty() || !same(listeners.back().first())) {
      by_port.emplace(socket.flow.local.port, listeners.size());
      listeners.emplace_back();
    }
    add_socket(listeners.back(), socket, view.limits);
  }
  std::map<std::size_t, std::set<Address>> sources;
  for (const auto& record : view.sockets) {
    if (record.state != State::syn_received) continue;
    KernelListener* nearest = nullptr;
    const auto [begin, end] = by_port.equal_range(record.flow.local.port);
    for (auto at = begin; at != end; ++at) {
      auto& listener = listeners[at->second];
      if (takes(listener, record) && (!nearest || nearness(*nearest) < nearness(listener)))
        nearest = &listener;
    }
    if (!nearest) continue;
    add_record(*nearest, record);
    sources[std::size_t(nearest - listeners.data())].insert(record.flow.remote.address);
  }
  for (auto& [place, of_it] : sources) count_sources(listeners[place], of_it);
  return listeners;
}

std::string_view counter_sentence(std::string_view name) {
  const auto at = std::ranges::find(counter_texts, name, &CounterText::name);
  return at == std::end(counter_texts) ? std::string_view{} : at->sentence;
}

}  // namespace estab::cli
