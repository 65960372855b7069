// SPDX-License-Identifier: Apache-2.0
#include "device.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace estab::raw {
namespace {

constexpr int tun_queue = 10'000;        // Packets.
constexpr int socket_buffer = 64 << 20;  // Bytes; as root, no limit keeps us from it.

// The head of <linux/virtio_net.h>, which is no C++.
struct OffloadNotes {
  std::uint8_t flags, gso_type;
  std::uint16_t header_length, gso_size, checksum_start, checksum_offset;
};
static_assert(sizeof(OffloadNotes) == 10);

int check(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

ifreq request_for(const std::string& name) {
  ifreq request{};
  if (name.size() >= sizeof request.ifr_name)
    throw std::system_error(ENAMETOOLONG, std::generic_category(), name);
  name.copy(request.ifr_name, name.size());
  return request;
}

}  // namespace

Descriptor::Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Descriptor make_tun(const std::string& name) {
  Descriptor tun(check(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), "/dev/net/tun"));
  auto request = request_for(name);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  check(::ioctl(tun.get(), TUNSETIFF, &request), "cannot make a TUN device");
  const Descriptor any(check(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  request.ifr_qlen = tun_queue;
  check(::ioctl(any.get(), SIOCSIFTXQLEN, &request), "cannot set the queue of a TUN device");
  check(::ioctl(any.get(), SIOCGIFFLAGS, &request), "cannot look at a TUN device");
  request.ifr_flags |= IFF_UP;
  check(::ioctl(any.get(), SIOCSIFFLAGS, &request), "cannot bring up a TUN device");
  return tun;
}

RawSender::RawSender()
    : v4_(check(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW), "raw socket")),
      v6_(check(::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW), "raw socket")) {}

void RawSender::send(std::span<const std::uint8_t> datagram) {
  if (datagram[0] >> 4 == 4) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    std::memcpy(&to.sin_addr, &datagram[16], 4);
    ::sendto(v4_.get(), datagram.data(), datagram.size(), 0, reinterpret_cast<sockaddr*>(&to),
             sizeof to);
  } else {
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    std::memcpy(&to.sin6_addr, &datagram[24], 16);
    ::sendto(v6_.get(), datagram.data(), datagram.size(), 0, reinterpret_cast<sockaddr*>(&to),
             sizeof to);
  }
}

Sniffer::Sniffer(const std::string& interface)
    : socket_(
          check(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "packet socket")) {
  const int on = 1;
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &socket_buffer, sizeof socket_buffer);
  check(::setsockopt(socket_.get(), SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on), "offload notes");
  sockaddr_ll from{};
  from.sll_family = AF_PACKET;
  from.sll_protocol = htons(ETH_P_ALL);
  from.sll_ifindex = int(::if_nametoindex(interface.c_str()));
  if (from.sll_ifindex == 0)
    throw std::system_error(errno, std::generic_category(), "no interface " + interface);
  check(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&from), sizeof from), "cannot sniff");
}

bool Sniffer::next(Packet& packet) {
  sockaddr_ll from{};
  socklen_t from_size = sizeof from;
  const auto size = ::recvfrom(socket_.get(), room_.get(), largest, 0,
                               reinterpret_cast<sockaddr*>(&from), &from_size);
  OffloadNotes header{};
  const std::size_t before = sizeof header + (from.sll_hatype == ARPHRD_ETHER ? ETH_HLEN : 0);
  if (size <= ssize_t(before)) return false;
  std::memcpy(&header, room_.get(), sizeof header);
  packet = {{room_.get() + before, std::size_t(size) - before},
            header.gso_type == 0 ? std::uint16_t(0) : header.gso_size};
  return true;
}

std::uint64_t Sniffer::missed() {
  tpacket_stats stats{};
  socklen_t size = sizeof stats;
  ::getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &stats, &size);
  return missed_ += stats.tp_drops;
}

}  // namespace estab::raw
