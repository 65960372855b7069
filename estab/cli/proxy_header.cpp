// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/proxy_header.hpp"

#include <string_view>

namespace estab::cli {
namespace {

using namespace std::string_view_literals;

constexpr auto signature = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr std::byte version_2_proxy{0x21};
constexpr std::byte stream_v4{0x11}, stream_v6{0x21};

}  // namespace

std::vector<std::byte> proxy_header(const Flow& client) {
  const bool v4 = client.remote.address.is_v4();
  std::vector<std::byte> header;
  const auto put = [&](Bytes octets) { header.insert(header.end(), octets.begin(), octets.end()); };
  const auto put_number = [&](std::uint16_t number) {
    header.push_back(std::byte(number >> 8));
    header.push_back(std::byte(number & 0xff));
  };
  const auto put_address = [&](const Address& address) {
    const Bytes octets = std::as_bytes(std::span{address.octets()});
    put(v4 ? octets.last(4) : octets);
  };
  put(as_bytes(signature));
  header.push_back(version_2_proxy);
  header.push_back(v4 ? stream_v4 : stream_v6);
  put_number(v4 ? 12 : 36);  // Octets that follow.
  put_address(client.remote.address);
  put_address(client.local.address);
  put_number(number(client.remote.port));
  put_number(number(client.local.port));
  return header;
}

}  // namespace estab::cli
