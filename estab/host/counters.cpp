// SPDX-License-Identifier: Apache-2.0
#include "estab/host/counters.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <optional>
#include <ranges>
#include <system_error>

#include "estab/host/number.hpp"

namespace estab::host {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (!file.is_open() || file.bad() || text.empty())
    throw std::system_error(errno != 0 ? errno : EIO, std::generic_category(),
                            "cannot read " + path);
  return text;
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (const auto part : std::views::split(text, at))
    if (!part.empty()) parts.emplace_back(part.begin(), part.end());
  return parts;
}

std::uint32_t sysctl(const char* name) {
  const auto path = std::string("/proc/sys/net/ipv4/") + name;
  auto text = read_file(path);
  if (text.ends_with('\n')) text.pop_back();
  if (const auto value = number_in<std::uint32_t>(text)) return *value;
  throw std::system_error(EINVAL, std::generic_category(), "cannot read a number in " + path);
}

}  // namespace

std::vector<KernelCounter> parse_netstat(std::string_view text, std::string_view protocol) {
  const auto label = std::string(protocol) + ":";
  std::vector<std::string_view> names;
  for (const auto line : split(text, '\n')) {
    const auto words = split(line, ' ');
    if (words.empty() || words[0] != label) continue;
    if (names.empty()) {
      names = words;
      continue;
    }
    std::vector<KernelCounter> counters;
    for (std::size_t i = 1; i < std::min(names.size(), words.size()); ++i)
      if (const auto count = number_in<std::uint64_t>(words[i]))
        counters.push_back({std::string(names[i]), *count});
    return counters;
  }
  return {};
}

std::vector<KernelCounter> kernel_tcp_counters(std::string_view protocol) {
  const bool is_basic = protocol == "Tcp";
  return parse_netstat(
      read_file(is_basic ? "/proc/thread-self/net/snmp" : "/proc/thread-self/net/netstat"),
      protocol);
}

// tcp_conn_request() drops for a full queue at the backlog, and, where cookies are off, once less
// than a quarter of max_backlog is free.
std::uint32_t SynLimits::half_open_limit(std::uint32_t backlog) const {
  if (cookies != 0) return backlog;
  return std::min(backlog, max_backlog - max_backlog / 4 + 1);
}

SynLimits kernel_syn_limits() {
  return {.max_backlog = sysctl("tcp_max_syn_backlog"), .cookies = sysctl("tcp_syncookies")};
}

}  // namespace estab::host
