// SPDX-License-Identifier: Apache-2.0
// The kernel's TCP over lo, both ends on one thread.
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <cstring>
#include <system_error>

#include "estab/host/interface.hpp"
#include "estab/host/namespace.hpp"
#include "kernel_socket.hpp"
#include "work.hpp"

namespace estab::bench {
namespace {

const Endpoint service{Address::v4(127, 0, 0, 1), Port{7}};

// No segmentation offload on lo: the kernel cuts segments before they take the way back up.
void cut_segments_on_lo() {
  const KernelSocket any = KernelSocket::listener({service.address, Port{0}});
  ethtool_value off{.cmd = ETHTOOL_STSO, .data = 0};
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_data = reinterpret_cast<char*>(&off);
  if (::ioctl(any.fd(), SIOCETHTOOL, &request) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot switch TSO off on lo");
}

class KernelWork : public Work {
 protected:
  host::NetworkNamespace namespace_;
  KernelSocket listener_ = KernelSocket::listener(service);
};

// Over lo what was sent is there when send() returns.
void carry(const KernelSocket& from, const KernelSocket& to, MutableBytes text) {
  if (from.send(text) != text.size() || to.receive(text) != text.size())
    throw std::runtime_error("a small write did not arrive whole");
}

class KernelPair : public KernelWork {
 protected:
  KernelSocket client_ = KernelSocket::connected(service);
  KernelSocket server_ = listener_.accept();
};

class KernelBulk final : public KernelWork {
 public:
  explicit KernelBulk(bool super_segments) : unit_(super_segments ? super_text : mss_text) {
    host::set_mtu("lo", super_segments ? 65536 : 1500);
    if (!super_segments) cut_segments_on_lo();
    client_ = KernelSocket::connected(service);
    server_ = listener_.accept();
    client_.non_blocking();
    server_.non_blocking();
  }
  void run(std::size_t count) override {
    const auto until = received_ + count * unit_;
    while (received_ < until) {
      while (client_.send(text_)) {}
      if (!server_.wait_readable(1000)) throw std::runtime_error("the kernel's bulk stands still");
      while (const auto n = server_.receive(room_)) received_ += *n;
    }
  }

 private:
  std::size_t unit_, received_ = 0;
  KernelSocket client_, server_;
  std::vector<std::byte> text_ = std::vector<std::byte>(64 << 10, std::byte{'e'});
  std::vector<std::byte> room_ = std::vector<std::byte>(64 << 10);
};

class KernelRoundTrips final : public KernelPair {
 public:
  explicit KernelRoundTrips(std::size_t octets) : text_(octets) {
    client_.no_delay();
    server_.no_delay();
  }
  void run(std::size_t count) override {
    for (; count > 0; --count) {
      carry(client_, server_, text_);
      carry(server_, client_, text_);
    }
  }

 private:
  std::vector<std::byte> text_;
};

class KernelConnections final : public KernelWork {
 public:
  void run(std::size_t count) override {
    std::byte octet{'e'};
    for (; count > 0; --count) {
      auto client = KernelSocket::connected(service);
      const auto server = listener_.accept();
      carry(client, server, {&octet, 1});
      carry(server, client, {&octet, 1});
      client.close();  // First, so that TIME-WAIT is the client's.
    }
  }
};

}  // namespace

std::unique_ptr<Work> kernel_bulk(bool super_segments) {
  return std::make_unique<KernelBulk>(super_segments);
}
std::unique_ptr<Work> kernel_round_trips(std::size_t octets) {
  return std::make_unique<KernelRoundTrips>(octets);
}
std::unique_ptr<Work> kernel_connections() { return std::make_unique<KernelConnections>(); }

}  // namespace estab::bench
