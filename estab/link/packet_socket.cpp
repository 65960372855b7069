// SPDX-License-Identifier: Apache-2.0
#include "estab/link/packet_socket.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>

namespace estab::link {
namespace {

// Room for a burst; more than the system's limit needs CAP_NET_ADMIN and is only tried.
constexpr int wanted_room = 32 << 20;

[[noreturn]] void fail(int error, const std::string& what) {
  throw std::system_error(error, std::generic_category(), what);
}

[[noreturn]] void fail_to_open(int error) {
  const std::string what = "cannot see the packets of an interface";
  if (error == EPERM || error == EACCES)
    fail(error, what +
                    "; run as root, or give the program the capability CAP_NET_RAW (setcap "
                    "cap_net_raw=ep PROGRAM)");
  fail(error, what);
}

// IPv4 or IPv6, and in it TCP, or an extension header before whatever comes; `kept_octets` of it.
void attach_filter(int fd) {
  constexpr std::uint32_t protocol = std::uint32_t(SKF_AD_OFF) + SKF_AD_PROTOCOL;
  constexpr std::uint32_t keep = PacketSocket::kept_octets;
  sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, protocol),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 3),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 6, 7, 0),
      BPF_STMT(BPF_RET | BPF_K, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 0, 6),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 6, 3, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 44, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 60, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, keep),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  const sock_fprog program{.len = std::size(rules), .filter = rules};
  if (::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0)
    fail(errno, "cannot set the filter of a packet socket");
}

void set(int fd, int level, int option, int value, const char* what) {
  if (::setsockopt(fd, level, option, &value, sizeof value) < 0) fail(errno, what);
}

unsigned index_of(const std::string& interface) {
  if (interface == PacketSocket::any) return 0;
  if (const unsigned index = ::if_nametoindex(interface.c_str())) return index;
  throw std::system_error(ENODEV, std::generic_category(),
                          "there is no interface " + interface + "; there are " +
                              interface_names() + ", and any for all of them");
}

// What is for others is taken as well, as on a port that mirrors a switch's; where that is
// refused, what there is will do.
void see_all(int fd, unsigned index) {
  packet_mreq request{};
  request.mr_ifindex = int(index);
  request.mr_type = PACKET_MR_PROMISC;
  ::setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof request);
}

void make_room(int fd) {
  const int room = wanted_room;
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) < 0)
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
}

}  // namespace

struct PacketSocket::Batch {
  static constexpr std::size_t most = 64;
  struct Slot {
    std::array<std::byte, kept_octets> octets;
    sockaddr_ll from;
    alignas(cmsghdr) std::array<char, 128> control;
    iovec part;
  };
  std::array<Slot, most> slots{};
  std::array<mmsghdr, most> messages{};

  void prepare() {
    for (std::size_t i = 0; i < most; ++i) {
      auto& slot = slots[i];
      slot.part = {slot.octets.data(), slot.octets.size()};
      messages[i] = {};
      auto& header = messages[i].msg_hdr;
      header.msg_name = &slot.from;
      header.msg_namelen = sizeof slot.from;
      header.msg_iov = &slot.part;
      header.msg_iovlen = 1;
      header.msg_control = slot.control.data();
      header.msg_controllen = slot.control.size();
    }
  }

  // Nothing: the loopback's other copy of a packet, or one without a time.
  [[nodiscard]] std::optional<PassingPacket> read(std::size_t i) {
    auto& slot = slots[i];
    auto& header = messages[i].msg_hdr;
    const std::size_t here = std::min<std::size_t>(messages[i].msg_len, kept_octets);
    PassingPacket packet{.time = {},
                         .kept = Bytes{slot.octets}.first(here),
                         .size = here,
                         .outgoing = slot.from.sll_pkttype == PACKET_OUTGOING};
    if (slot.from.sll_hatype == ARPHRD_LOOPBACK && packet.outgoing) return {};
    bool timed = false;
    for (auto* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
      if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
        timespec at{};
        std::memcpy(&at, CMSG_DATA(c), sizeof at);
        packet.time += std::chrono::seconds{at.tv_sec} + Duration{at.tv_nsec};
        timed = true;
      }
      if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA) {
        tpacket_auxdata about{};
        std::memcpy(&about, CMSG_DATA(c), sizeof about);
        packet.size = std::max<std::size_t>(about.tp_len, here);
      }
    }
    return timed ? std::optional(packet) : std::nullopt;
  }
};

PacketSocket::PacketSocket(const std::string& interface) : batch_(std::make_unique<Batch>()) {
  const unsigned index = index_of(interface);
  // Protocol 0: nothing comes before the filter stands.
  fd_ = ::socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) fail_to_open(errno);
  try {
    attach_filter(fd_);
    set(fd_, SOL_SOCKET, SO_TIMESTAMPNS, 1, "cannot have packets' times");
    set(fd_, SOL_PACKET, PACKET_AUXDATA, 1, "cannot have packets' sizes");
    make_room(fd_);
    if (index != 0) see_all(fd_, index);
    sockaddr_ll where{};
    where.sll_family = AF_PACKET;
    where.sll_protocol = htons(ETH_P_ALL);
    where.sll_ifindex = int(index);
    if (::bind(fd_, reinterpret_cast<const sockaddr*>(&where), sizeof where) < 0)
      fail(errno, "cannot see the packets of " + interface);
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

PacketSocket::~PacketSocket() { ::close(fd_); }

PacketSocket::Received PacketSocket::receive(const std::function<void(const PassingPacket&)>& f) {
  batch_->prepare();
  const int count = ::recvmmsg(fd_, batch_->messages.data(), Batch::most, 0, nullptr);
  if (count < 0) {
    if (errno == ENETDOWN || errno == ENXIO) return Received::interface_down;
    if (errno == EAGAIN || errno == EINTR) return Received::none;
    fail(errno, "cannot receive from a packet socket");
  }
  for (std::size_t i = 0; i < std::size_t(count); ++i)
    if (const auto packet = batch_->read(i)) f(*packet);
  return Received::some;
}

std::uint64_t PacketSocket::lost() {
  // The kernel begins anew with each reading.
  tpacket_stats since{};
  socklen_t size = sizeof since;
  if (::getsockopt(fd_, SOL_PACKET, PACKET_STATISTICS, &since, &size) == 0) lost_ += since.tp_drops;
  return lost_;
}

InterfaceState interface_state(const std::string& name) {
  if (name == PacketSocket::any) return InterfaceState::up;
  ifreq request{};
  if (name.size() >= sizeof request.ifr_name) return InterfaceState::missing;
  std::memcpy(request.ifr_name, name.data(), name.size());
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail(errno, "cannot ask for the state of " + name);
  const bool there = ::ioctl(fd, SIOCGIFFLAGS, &request) == 0;
  ::close(fd);
  if (!there) return InterfaceState::missing;
  return request.ifr_flags & IFF_UP ? InterfaceState::up : InterfaceState::down;
}

std::string interface_names() {
  std::string names;
  auto* all = ::if_nameindex();
  if (all == nullptr) return "none that could be listed";
  for (const auto* one = all; one->if_index != 0; ++one)
    names += (names.empty() ? "" : ", ") + std::string(one->if_name);
  ::if_freenameindex(all);
  return names.empty() ? "none" : names;
}

}  // namespace estab::link
