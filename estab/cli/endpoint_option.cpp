// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/endpoint_option.hpp"

#include <charconv>

namespace estab::cli {
namespace {

std::optional<Port> parse_port(std::string_view text) {
  std::uint16_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size() || n == 0) return {};
  return Port{n};
}

}  // namespace

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == text.npos) return {};
  const auto port = parse_port(text.substr(colon + 1));
  auto host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = Address::parse(host);
  // Without brackets nobody could tell where an IPv6 address ends.
  if (!port || !address || bracketed != host.contains(':')) return {};
  return Endpoint{*address, *port};
}

std::string check_endpoint(const std::string& text) {
  if (parse_endpoint(text)) return {};
  return "'" + text +
         "' is no address with a port of 1 to 65535; such are 127.0.0.1:9077 and [::1]:9077";
}

}  // namespace estab::cli
