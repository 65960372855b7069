// SPDX-License-Identifier: Apache-2.0
#include "estab/host/interface.hpp"

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <cerrno>
#include <system_error>
#include <thread>

#include "estab/base/time.hpp"
#include "estab/host/netlink.hpp"

namespace estab::host {
namespace {

std::string advice(int error) {
  switch (error) {
    case EPERM:
      return "; run as root, or give the program the capability CAP_NET_ADMIN (setcap "
             "cap_net_admin=ep PROGRAM)";
    case ENODEV:       return "; there is no such interface (ip link lists them)";
    case EEXIST:       return "; it is there already";
    case EINVAL:
    case ERANGE:       return "; the kernel does not take this value";
    case ENETUNREACH:
    case EHOSTUNREACH: return "; the gateway lies in no network of the interface";
    case ENETDOWN:     return "; the interface is down: bring it up first";
    case EOPNOTSUPP:
    case EACCES:       return "; IPv6 is switched off here, or this device cannot do it";
    default:           return "";
  }
}

[[noreturn]] void fail(int error, const std::string& what) {
  throw std::system_error(error, std::generic_category(), what + advice(error));
}

void put(nlmsghdr* message, std::uint16_t type, const Address& address) {
  const auto octets = family_octets(address);
  mnl_attr_put(message, type, octets.size(), octets.data());
}

// A request about one interface: an rtnetlink header of type Body, then attributes.
template <class Body>
class Request {
 public:
  Request(std::uint16_t type, const std::string& interface)
      : index_(::if_nametoindex(interface.c_str())), head_(mnl_nlmsg_put_header(buffer_.data())) {
    head_->nlmsg_type = type;
    body = static_cast<Body*>(mnl_nlmsg_put_extra_header(head_, sizeof(Body)));
  }
  [[nodiscard]] unsigned index() const { return index_; }
  nlmsghdr* head() { return head_; }
  // `what` names the deed in the error: "cannot …".
  void send(const std::string& what, std::uint16_t flags = 0,
            const std::function<void(const nlmsghdr*)>& answer = {}) {
    const int error =
        index_ == 0 ? ENODEV : Netlink(NETLINK_ROUTE).ask(head_, NLM_F_ACK | flags, answer);
    if (error != 0) fail(error, what);
  }

  Body* body;

 private:
  alignas(nlmsghdr) NetlinkBuffer buffer_{};
  unsigned index_;
  nlmsghdr* head_;
};

void add_route(const std::string& interface, const Prefix& to, const Address* gateway) {
  Request<rtmsg> request(RTM_NEWROUTE, interface);
  auto& route = *request.body;
  route.rtm_family = family(to.address);
  route.rtm_dst_len = to.length;
  route.rtm_table = RT_TABLE_MAIN;
  route.rtm_protocol = RTPROT_STATIC;
  route.rtm_scope = gateway != nullptr ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
  route.rtm_type = RTN_UNICAST;
  if (to.length > 0) put(request.head(), RTA_DST, to.address.prefix(to.length));
  if (gateway != nullptr) put(request.head(), RTA_GATEWAY, *gateway);
  mnl_attr_put_u32(request.head(), RTA_OIF, request.index());
  const auto by = gateway != nullptr ? " by way of " + gateway->to_string() : std::string();
  request.send("cannot route " + to.to_string() + " to " + interface + by,
               NLM_F_CREATE | NLM_F_EXCL);
}

bool is_up(const std::string& interface) {
  Request<ifinfomsg> request(RTM_GETLINK, interface);
  request.body->ifi_index = int(request.index());
  unsigned flags = 0;
  request.send("cannot look at " + interface, 0, [&](const nlmsghdr* answer) {
    if (answer->nlmsg_type == RTM_NEWLINK)
      flags = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(answer))->ifi_flags;
  });
  return (flags & IFF_UP) != 0;
}

}  // namespace

void bring_up(const std::string& interface) {
  Request<ifinfomsg> request(RTM_NEWLINK, interface);
  request.body->ifi_index = int(request.index());
  request.body->ifi_flags = request.body->ifi_change = IFF_UP;
  request.send("cannot bring up " + interface);
}

void set_mtu(const std::string& interface, std::uint32_t mtu) {
  Request<ifinfomsg> request(RTM_NEWLINK, interface);
  request.body->ifi_index = int(request.index());
  mnl_attr_put_u32(request.head(), IFLA_MTU, mtu);
  request.send("cannot set the MTU of " + interface + " to " + std::to_string(mtu));
}

void add_address(const std::string& interface, const Prefix& address) {
  Request<ifaddrmsg> request(RTM_NEWADDR, interface);
  request.body->ifa_family = family(address.address);
  request.body->ifa_prefixlen = address.length;
  request.body->ifa_flags = address.address.is_v4() ? 0 : IFA_F_NODAD;
  request.body->ifa_index = request.index();
  put(request.head(), IFA_LOCAL, address.address);
  put(request.head(), IFA_ADDRESS, address.address);
  const auto what = "cannot give " + interface + " the address " + address.to_string();
  request.send(what, NLM_F_CREATE | NLM_F_REPLACE);
  if (address.address.is_v4() || !is_up(interface)) return;
  // The kernel sets the route of a new IPv6 address in its own time, after it has said that all is
  // done.
  for (int tries = 0; tries < 2000; ++tries, std::this_thread::sleep_for(1ms))
    if (is_delivered_here(address.address)) return;
  fail(ETIMEDOUT, what);
}

void add_route(const std::string& interface, const Prefix& destination) {
  add_route(interface, destination, nullptr);
}

void add_route(const std::string& interface, const Prefix& destination, const Address& gateway) {
  add_route(interface, destination, &gateway);
}

bool is_delivered_here(const Address& address) {
  alignas(nlmsghdr) NetlinkBuffer buffer{};
  auto* head = mnl_nlmsg_put_header(buffer.data());
  head->nlmsg_type = RTM_GETROUTE;
  auto* body = static_cast<rtmsg*>(mnl_nlmsg_put_extra_header(head, sizeof(rtmsg)));
  body->rtm_family = family(address);
  put(head, RTA_DST, address);
  bool local = false;
  Netlink(NETLINK_ROUTE).ask(head, NLM_F_ACK, [&](const nlmsghdr* answer) {
    const auto* route = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(answer));
    if (answer->nlmsg_type == RTM_NEWROUTE) local = route->rtm_type == RTN_LOCAL;
  });
  return local;
}

void remove_interface(const std::string& interface) {
  Request<ifinfomsg> request(RTM_DELLINK, interface);
  request.body->ifi_index = int(request.index());
  request.send("cannot remove " + interface);
}

bool has_interface(const std::string& interface) {
  return ::if_nametoindex(interface.c_str()) != 0;
}

}  // namespace estab::host
