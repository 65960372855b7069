// SPDX-License-Identifier: Apache-2.0
#include "estab/host/sockets.hpp"

#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <system_error>

#include "estab/host/netlink.hpp"

namespace estab::host {
namespace {

// By the kernel's number (include/net/tcp_states.h), from 1. The last is a half-open record of a
// listener; number 3 is one that Fast Open made a socket.
constexpr std::array kernel_states{State::established, State::syn_sent,   State::syn_received,
                                   State::fin_wait_1,  State::fin_wait_2, State::time_wait,
                                   State::closed,      State::close_wait, State::last_ack,
                                   State::listen,      State::closing,    State::syn_received};

std::optional<State> state_of(std::uint8_t number) {
  if (number == 0 || number > kernel_states.size()) return std::nullopt;
  return kernel_states[number - 1u];
}

// By the kernel's number; its loss probe and reordering timer count as retransmission.
KernelTimer timer_of(std::uint8_t number) {
  using enum KernelTimer;
  constexpr std::array timers{none, retransmission, keep_alive, time_wait, probe};
  return number < timers.size() ? timers[number] : none;
}

Address address_of(std::uint8_t family, const std::uint32_t (&words)[4]) {
  const auto* octets = reinterpret_cast<const std::byte*>(words);
  return family == AF_INET ? Address::v4(octets) : Address::v6(octets);
}

int read_attribute(const nlattr* attribute, void* out) {
  auto& socket = *static_cast<KernelSocket*>(out);
  const std::size_t size = mnl_attr_get_payload_len(attribute);
  const auto* payload = static_cast<const std::byte*>(mnl_attr_get_payload(attribute));
  switch (mnl_attr_get_type(attribute)) {
    case INET_DIAG_SKMEMINFO: {
      constexpr auto offset = SK_MEMINFO_DROPS * sizeof(std::uint32_t);
      if (size >= offset + sizeof socket.drops)
        std::memcpy(&socket.drops, payload + offset, sizeof socket.drops);
      break;
    }
    case INET_DIAG_SKV6ONLY: socket.ipv6_only = size > 0 && payload[0] != std::byte{}; break;
    default:                 break;
  }
  return MNL_CB_OK;
}

std::optional<KernelSocket> read(const nlmsghdr* message) {
  if (mnl_nlmsg_get_payload_len(message) < sizeof(inet_diag_msg)) return std::nullopt;
  const auto& m = *static_cast<const inet_diag_msg*>(mnl_nlmsg_get_payload(message));
  const auto state = state_of(m.idiag_state);
  if (!state) return std::nullopt;
  const auto endpoint = [&](const std::uint32_t(&words)[4], std::uint16_t port) {
    return Endpoint{address_of(m.idiag_family, words), Port{ntohs(port)}};
  };
  KernelSocket socket{.flow = {.local = endpoint(m.id.idiag_src, m.id.idiag_sport),
                               .remote = endpoint(m.id.idiag_dst, m.id.idiag_dport)},
                      .state = *state,
                      .receive_queue = m.idiag_rqueue,
                      .send_queue = m.idiag_wqueue,
                      .timer = timer_of(m.idiag_timer),
                      .timer_left = std::chrono::milliseconds(m.idiag_expires),
                      .retransmissions = m.idiag_retrans,
                      .uid = m.idiag_uid,
                      .inode = m.idiag_inode,
                      .interface = m.id.idiag_if,
                      .ipv6 = m.idiag_family == AF_INET6};
  mnl_attr_parse(message, sizeof(inet_diag_msg), read_attribute, &socket);
  return socket;
}

std::uint32_t kernel_mask(StateSet states) {
  std::uint32_t mask = 0;
  for (std::uint32_t i = 0; i < kernel_states.size(); ++i)
    if (states.contains(kernel_states[i])) mask |= 2u << i;
  return mask;
}

// Adds to `out`; returns ask()'s error number.
int list(std::uint8_t family, StateSet states, std::vector<KernelSocket>& out) {
  alignas(nlmsghdr) NetlinkBuffer buffer{};
  auto* message = mnl_nlmsg_put_header(buffer.data());
  message->nlmsg_type = SOCK_DIAG_BY_FAMILY;
  auto* request =
      static_cast<inet_diag_req_v2*>(mnl_nlmsg_put_extra_header(message, sizeof(inet_diag_req_v2)));
  request->sdiag_family = family;
  request->sdiag_protocol = IPPROTO_TCP;
  request->idiag_states = kernel_mask(states);
  request->idiag_ext = 1u << (INET_DIAG_SKMEMINFO - 1);
  Netlink netlink(NETLINK_SOCK_DIAG);
  return netlink.ask(message, NLM_F_DUMP, [&](const nlmsghdr* answer) {
    if (auto socket = read(answer)) out.push_back(*socket);
  });
}

void list_whole(std::uint8_t family, StateSet states, std::vector<KernelSocket>& out) {
  const auto before = std::ptrdiff_t(out.size());
  const int error = ask_until_whole([&] {
    out.erase(out.begin() + before, out.end());
    return list(family, states, out);
  });
  if (error != 0)
    throw std::system_error(error, std::generic_category(),
                            std::string("cannot list the kernel's TCP sockets") +
                                (error == ENOENT ? "; load the module (modprobe tcp_diag)" : ""));
}

}  // namespace

std::string_view name(KernelTimer timer) {
  switch (timer) {
    case KernelTimer::none:           return "none";
    case KernelTimer::retransmission: return "retransmission";
    case KernelTimer::keep_alive:     return "keep-alive";
    case KernelTimer::time_wait:      return "time-wait";
    case KernelTimer::probe:          return "probe";
  }
  std::unreachable();
}

std::optional<Duration> estimated_age(const KernelSocket& socket) {
  if (socket.state != State::syn_received || socket.timer != KernelTimer::retransmission)
    return std::nullopt;
  constexpr Duration first = 1s, longest = 120s;  // TCP_TIMEOUT_INIT, TCP_RTO_MAX
  auto wait = first, ended = first;
  // The count of retransmissions stands still where the record waits for the client's text
  // (TCP_DEFER_ACCEPT); then a timer that no wait so short could have set tells how many there
  // were.
  const auto too_short = [&] { return wait < longest && wait * 5 / 4 < socket.timer_left; };
  for (unsigned n = 0; n < socket.retransmissions || too_short(); ++n) {
    wait = std::min(2 * wait, longest);
    ended += wait;
  }
  return std::max(ended - socket.timer_left, Duration{});
}

std::vector<KernelSocket> kernel_tcp_sockets(StateSet states) {
  std::vector<KernelSocket> sockets;
  list_whole(AF_INET, states, sockets);
  list_whole(AF_INET6, states, sockets);
  return sockets;
}

std::vector<KernelSocket> kernel_tcp_sockets() {
  using enum State;
  return kernel_tcp_sockets(listen | syn_sent | syn_received | established | fin_wait_1 |
                            fin_wait_2 | close_wait | closing | last_ack | time_wait);
}

}  // namespace estab::host
