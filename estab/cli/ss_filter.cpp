// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/ss_filter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "estab/cli/commands.hpp"

namespace estab::cli {
namespace {

struct StateName {
  std::string_view rfc, ss;
};
constexpr StateName state_names[] = {
    {"CLOSED", "UNCONN"},         {"LISTEN", "LISTEN"},         {"SYN-SENT", "SYN-SENT"},
    {"SYN-RECEIVED", "SYN-RECV"}, {"ESTABLISHED", "ESTAB"},     {"FIN-WAIT-1", "FIN-WAIT-1"},
    {"FIN-WAIT-2", "FIN-WAIT-2"}, {"CLOSE-WAIT", "CLOSE-WAIT"}, {"CLOSING", "CLOSING"},
    {"LAST-ACK", "LAST-ACK"},     {"TIME-WAIT", "TIME-WAIT"},
};

bool any(const std::vector<Port>& wanted, Port port) {
  return wanted.empty() || std::ranges::find(wanted, port) != wanted.end();
}

}  // namespace

bool SsFilter::matches(std::string_view state, const Endpoint& local,
                       const Endpoint& remote) const {
  if (!states.empty() && !states.contains(std::string(state))) return false;
  if (!any(ports, local.port) && !any(ports, remote.port)) return false;
  if (!any(local_ports, local.port) || !any(remote_ports, remote.port)) return false;
  return peers.empty() ||
         (!remote.address.is_unspecified() && std::ranges::any_of(peers, [&](const Prefix& peer) {
           return peer.contains(remote.address);
         }));
}

bool SsFilter::matches_listener(const Endpoint& local) const {
  return any(ports, local.port) && any(local_ports, local.port);
}

std::string ss_state(std::string_view name) {
  std::string upper(name);
  for (char& c : upper) c = c == '_' ? '-' : c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c;
  for (const auto& [rfc, ss] : state_names)
    if (upper == rfc || upper == ss) return std::string(ss);
  return {};
}

std::string ss_state_of(std::string_view option, std::string_view text) {
  if (auto state = ss_state(text); !state.empty()) return state;
  throw UsageError(fmt::format(
      "{}: '{}' is no state of TCP\nSuch are listen, syn-sent, syn-recv, established, fin-wait-1, "
      "fin-wait-2, close-wait, closing, last-ack, time-wait.",
      option, text));
}

Port ss_port_of(std::string_view option, std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error == std::errc{} && end == text.data() + text.size() && port != 0) return Port{port};
  throw UsageError(fmt::format("{}: '{}' is no port; such are 1 to 65535", option, text));
}

Prefix ss_prefix_of(std::string_view option, std::string_view text) {
  if (const auto prefix = Prefix::parse(text)) return *prefix;
  if (const auto address = Address::parse(text))
    return {*address, std::uint8_t(address->is_v4() ? 32 : 128)};
  throw UsageError(fmt::format(
      "{}: '{}' is no prefix of addresses; such are 10.0.0.0/8, 2001:db8::/32 or 192.0.2.1", option,
      text));
}

}  // namespace estab::cli
