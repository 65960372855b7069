// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sys/epoll.h>

#include <cerrno>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <vector>

#include "estab/host/interface.hpp"
#include "estab/host/namespace.hpp"
#include "estab/host/netlink.hpp"
#include "kernel_socket.hpp"
#include "server.hpp"

namespace estab::bench {
namespace {

// A pair of veth devices: `here` in this namespace, `there` in the one of the descriptor.
void make_veth(const char* here, const char* there, int there_namespace) {
  alignas(nlmsghdr) host::NetlinkBuffer buffer{};
  nlmsghdr* head = mnl_nlmsg_put_header(buffer.data());
  head->nlmsg_type = RTM_NEWLINK;
  mnl_nlmsg_put_extra_header(head, sizeof(ifinfomsg));
  mnl_attr_put_strz(head, IFLA_IFNAME, here);
  nlattr* link = mnl_attr_nest_start(head, IFLA_LINKINFO);
  mnl_attr_put_str(head, IFLA_INFO_KIND, "veth");
  nlattr* data = mnl_attr_nest_start(head, IFLA_INFO_DATA);
  nlattr* peer = mnl_attr_nest_start(head, VETH_INFO_PEER);
  mnl_nlmsg_put_extra_header(head, sizeof(ifinfomsg));
  mnl_attr_put_strz(head, IFLA_IFNAME, there);
  mnl_attr_put_u32(head, IFLA_NET_NS_FD, std::uint32_t(there_namespace));
  mnl_attr_nest_end(head, peer);
  mnl_attr_nest_end(head, data);
  mnl_attr_nest_end(head, link);
  const int error = host::Netlink(NETLINK_ROUTE).ask(head, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
  if (error != 0)
    throw std::system_error(error, std::generic_category(), "cannot make a veth device");
}

// The listener stands in a namespace that lives as long as its sockets do.
KernelSocket listener_behind_veth() {
  KernelSocket near_namespace{::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)};
  KernelSocket listener;
  {
    const host::NetworkNamespace far_side;
    make_veth("veth1", "veth0", near_namespace.fd());
    host::add_address("veth1", server_prefix);
    host::bring_up("veth1");
    listener = KernelSocket::listener(server_endpoint);
  }
  host::add_address("veth0", client_prefix);
  host::bring_up("veth0");
  return listener;
}

class KernelServer final : public Server {
 public:
  explicit KernelServer(Service service)
      : service_(service),
        listener_(listener_behind_veth()),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        thread_([this](const std::stop_token& stop) { run(stop); }) {}

 private:
  void run(const std::stop_token& stop) {
    watch(listener_.fd(), EPOLLIN);
    while (!stop.stop_requested()) {
      epoll_event events[64];
      const int count = ::epoll_wait(epoll_.fd(), events, 64, 20);
      for (int i = 0; i < count; ++i) {
        if (events[i].data.fd == listener_.fd()) accept();
        else serve(events[i].data.fd);
      }
    }
  }
  void accept() {
    auto socket = listener_.accept();
    socket.no_delay();
    socket.non_blocking();
    watch(socket.fd(), service_ == Service::source ? EPOLLOUT : EPOLLIN);
    const int fd = socket.fd();
    sockets_[fd] = std::move(socket);
  }
  void watch(int fd, std::uint32_t what) {
    epoll_event event{.events = what, .data = {.fd = fd}};
    ::epoll_ctl(epoll_.fd(), EPOLL_CTL_ADD, fd, &event);
  }
  void serve(int fd) {
    const auto& socket = sockets_.at(fd);
    try {
      std::optional<std::size_t> n;
      if (service_ == Service::source) {
        while (socket.send(room_)) {}
        return;
      }
      while ((n = socket.receive(room_)).value_or(0) > 0)
        if (service_ == Service::echo) (void)socket.send(Bytes{room_}.first(*n));
      if (n == 0) sockets_.erase(fd);
    } catch (const std::system_error&) {
      sockets_.erase(fd);  // The client has gone in the midst of it.
    }
  }

  Service service_;
  KernelSocket listener_, epoll_;
  std::unordered_map<int, KernelSocket> sockets_;
  std::vector<std::byte> room_ = std::vector<std::byte>(128 << 10);
  std::jthread thread_;
};

}  // namespace

std::unique_ptr<Server> kernel_server(Service service) {
  return std::make_unique<KernelServer>(service);
}

}  // namespace estab::bench
