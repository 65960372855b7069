// SPDX-License-Identifier: Apache-2.0
// SYNs from senders that are not there, for tests that fill a half-open queue of the kernel's in a
// network namespace of their own.
#pragma once
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <vector>

#include "estab/wire/ip.hpp"
#include "estab/wire/tcp.hpp"

namespace estab::host {

// A datagram with a SYN, as a client would send it.
inline std::vector<std::byte> forged_syn(const Endpoint& from, const Endpoint& to) {
  const wire::TcpHeader tcp{.source = from.port,
                            .destination = to.port,
                            .seq = Seq{0x5eed},
                            .flags = {.syn = true},
                            .window = 64240,
                            .options = {.mss = std::uint16_t{1440}}};
  const auto ip_size = wire::ip_header_size(from.address);
  std::vector<std::byte> datagram(ip_size + wire::tcp_size(tcp));
  const auto segment = MutableBytes{datagram}.subspan(ip_size);
  wire::emit_ip({.source = from.address,
                 .destination = to.address,
                 .protocol = wire::Protocol::tcp,
                 .header_length = std::uint16_t(ip_size),
                 .total_length = std::uint32_t(datagram.size())},
                datagram);
  wire::emit_tcp(tcp, segment);
  auto sum = wire::pseudo_header(from.address, to.address, wire::Protocol::tcp,
                                 std::uint32_t(segment.size()));
  store_be(segment.data() + wire::tcp_checksum_offset, sum.add(segment).value());
  return datagram;
}

// Sends whole datagrams of one family, addressed as they say. Needs CAP_NET_RAW.
class RawSender {
 public:
  explicit RawSender(bool v4)
      : fd_(::socket(v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW)) {
    if (fd_ < 0)
      throw std::system_error(errno, std::generic_category(), "cannot make a raw socket");
  }
  ~RawSender() { ::close(fd_); }
  RawSender(const RawSender&) = delete;
  RawSender& operator=(const RawSender&) = delete;

  void send(const std::vector<std::byte>& datagram, const Address& to) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    std::memcpy(&in.sin_addr, to.octets().data() + 12, 4);
    sockaddr_in6 in6{};
    in6.sin6_family = AF_INET6;
    std::memcpy(&in6.sin6_addr, to.octets().data(), 16);
    const auto* name = to.is_v4() ? reinterpret_cast<const sockaddr*>(&in)
                                  : reinterpret_cast<const sockaddr*>(&in6);
    if (::sendto(fd_, datagram.data(), datagram.size(), 0, name,
                 to.is_v4() ? sizeof in : sizeof in6) < 0)
      throw std::system_error(errno, std::generic_category(), "cannot send a raw datagram");
  }

 private:
  int fd_;
};

}  // namespace estab::host
