// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/ss_kernel.hpp"

#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>

#include "estab/cli/ss_layout.hpp"

namespace estab::cli {
namespace {

using host::KernelSocket, host::KernelTimer;

std::string interface_name(std::uint32_t index) {
  char name[IF_NAMESIZE];
  return ::if_indextoname(index, name) != nullptr ? name : fmt::format("if{}", index);
}

// As ss has it: "*:80" for both families, "0.0.0.0:*" for a peer to come, "[fe80::1]%eth0:80".
std::string end_text(const KernelSocket& socket, const Endpoint& end, bool local) {
  const auto& address = end.address;
  std::string text;
  if (!socket.ipv6) text = address.to_string();
  else if (address == Address{} && !socket.ipv6_only) text = "*";
  else if (address.is_v4()) text = fmt::format("[::ffff:{}]", address.to_string());
  else text = fmt::format("[{}]", address.to_string());
  if (local && socket.interface != 0) text += "%" + interface_name(socket.interface);
  return number(end.port) == 0 ? text + ":*" : fmt::format("{}:{}", text, number(end.port));
}

std::string state_text(const KernelSocket& socket) { return ss_state(name(socket.state)); }

bool matches(const SsFilter& filter, const KernelSocket& socket) {
  return filter.matches(state_text(socket), socket.flow.local, socket.flow.remote);
}

std::string seconds(Duration d) {
  return fmt::format("{:.1f} s", std::chrono::duration<double>(d).count());
}

// "users:(("nginx",pid=12,fd=6))"
std::string owners_text(const KernelView& view, const KernelSocket& socket) {
  if (!view.owners) return {};
  const auto at = view.owners->by_inode.find(socket.inode);
  if (socket.inode == 0 || at == view.owners->by_inode.end()) return {};
  std::string users;
  for (const auto& owner : at->second)
    users += fmt::format("{}(\"{}\",pid={},fd={})", users.empty() ? "" : ",", owner.name, owner.pid,
                         owner.descriptor);
  return "users:(" + users + ")";
}

std::string_view timer_word(KernelTimer timer) {
  switch (timer) {
    case KernelTimer::none:           return "";
    case KernelTimer::retransmission: return "on";
    case KernelTimer::keep_alive:     return "keepalive";
    case KernelTimer::time_wait:      return "timewait";
    case KernelTimer::probe:          return "persist";
  }
  std::unreachable();
}

// "timer:(on,1.3sec,2) age:~4.7s"; "~" marks the estimate.
std::string timer_text(const KernelSocket& socket) {
  if (socket.timer == KernelTimer::none) return {};
  const auto left = std::chrono::duration<double>(socket.timer_left).count();
  auto text = fmt::format("timer:({},{:.1f}sec,{})", timer_word(socket.timer), left,
                          socket.retransmissions);
  if (const auto age = estimated_age(socket))
    text += fmt::format(" age:~{:.1f}s", std::chrono::duration<double>(*age).count());
  return text;
}

SsRow row_of(const KernelView& view, const KernelSocket& socket, bool timers) {
  auto last = owners_text(view, socket);
  if (const auto timer = timers ? timer_text(socket) : std::string(); !timer.empty())
    last += (last.empty() ? "" : " ") + timer;
  return {{state_text(socket), std::to_string(socket.receive_queue),
           std::to_string(socket.send_queue), end_text(socket, socket.flow.local, true),
           end_text(socket, socket.flow.remote, false), last},
          ""};
}

std::string counters_text(const KernelView& view) {
  std::string out = "\nThe kernel's counters, in this network namespace:\n";
  for (const auto& [name, count] : view.counters)
    out += fmt::format("{:>10}  {:<20} {}\n", count, name, counter_sentence(name));
  return out;
}

std::string listener_name(const KernelListener& listener) {
  auto name = end_text(listener.first(), listener.first().flow.local, true);
  if (listener.sockets.size() > 1) name += fmt::format(" ({} sockets)", listener.sockets.size());
  return name;
}

// The counters of the kernel that are told of no listener alone.
std::string together(const KernelView& view) {
  std::string text;
  for (const std::string_view wanted : {"ListenOverflows", "ListenDrops", "SyncookiesSent"}) {
    const auto at = std::ranges::find(view.counters, wanted, &host::KernelCounter::name);
    if (at != view.counters.end())
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", at->name, at->count);
  }
  return text;
}

}  // namespace

std::string ss_kernel_table(const KernelView& view, const SsChoice& choice) {
  std::vector<SsRow> rows;
  for (const auto& socket : view.sockets)
    if (matches(choice.filter, socket)) rows.push_back(row_of(view, socket, choice.timers));
  auto out = ss_layout(rows, choice.header);
  if (choice.counters) out += counters_text(view);
  return out;
}

std::string ss_listener_line(const KernelListener& listener, std::size_t width,
                             const std::string& verdict) {
  const auto oldest = listener.oldest_half_open
                          ? fmt::format(" (oldest ~{})", seconds(*listener.oldest_half_open))
                          : "";
  auto line =
      fmt::format("{:<{}}  accept {}/{}, half-open {}/{}{}, dropped {}", listener_name(listener),
                  width, listener.accept_queue, listener.accept_limit, listener.half_open,
                  listener.half_open_limit, oldest, listener.drops);
  if (!verdict.empty()) return line + "; " + verdict;
  if (listener.half_open > 0)
    line += fmt::format("; half-open from {} source{} in {} prefix{}", listener.sources,
                        listener.sources == 1 ? "" : "s", listener.prefixes,
                        listener.prefixes == 1 ? "" : "es");
  return line;
}

std::string ss_kernel_closing(const KernelView& view, const SsFilter& filter,
                              const ListenerVerdict& verdict) {
  auto listeners = listeners_of(view);
  std::erase_if(listeners,
                [&](const auto& l) { return !filter.matches_listener(l.first().flow.local); });
  std::size_t width = 0;
  for (const auto& listener : listeners) width = std::max(width, listener_name(listener).size());
  std::string out = "\n";
  for (const auto& listener : listeners)
    out += ss_listener_line(listener, width, verdict ? verdict(listener) : "") + "\n";
  return out + fmt::format("{:<{}}  {}\n", "All", width, together(view));
}

}  // namespace estab::cli
