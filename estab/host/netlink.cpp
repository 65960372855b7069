// SPDX-License-Identifier: Apache-2.0
#include "estab/host/netlink.hpp"

#include <libmnl/libmnl.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>
#include <vector>

namespace estab::host {
namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

int hand_on(const nlmsghdr* message, void* answer) {
  const auto& f = *static_cast<const std::function<void(const nlmsghdr*)>*>(answer);
  if (f) f(message);
  return MNL_CB_OK;
}

// The end of a request or of a dump: both begin with an error number, negative, 0: none. libmnl's
// own callback overlooks a dump's, and a kernel without tcp_diag would seem to have no sockets.
int end(const nlmsghdr* message, void*) {
  if (mnl_nlmsg_get_payload_len(message) < sizeof(int)) return MNL_CB_STOP;
  const int error = *static_cast<const int*>(mnl_nlmsg_get_payload(message));
  if (error >= 0) return MNL_CB_STOP;
  errno = -error;
  return MNL_CB_ERROR;
}
int overrun(const nlmsghdr*, void*) {
  errno = ENOBUFS;
  return MNL_CB_ERROR;
}

// By the type of the message.
using Callbacks = std::array<mnl_cb_t, NLMSG_OVERRUN + 1>;
Callbacks control_callbacks() {
  Callbacks callbacks{};
  callbacks[NLMSG_ERROR] = callbacks[NLMSG_DONE] = end;
  callbacks[NLMSG_OVERRUN] = overrun;
  return callbacks;
}

}  // namespace

void Netlink::Close::operator()(mnl_socket* socket) const { mnl_socket_close(socket); }

Netlink::Netlink(int bus) : socket_(mnl_socket_open2(bus, SOCK_CLOEXEC)) {
  if (!socket_ || mnl_socket_bind(socket_.get(), 0, MNL_SOCKET_AUTOPID) < 0)
    fail("cannot talk to the kernel (netlink)");
  port_ = mnl_socket_get_portid(socket_.get());
  // For what the kernel sends while we are not reading; less is no error.
  const int room = 1 << 20;
  (void)::setsockopt(mnl_socket_get_fd(socket_.get()), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
}

int Netlink::ask(nlmsghdr* request, std::uint16_t flags,
                 const std::function<void(const nlmsghdr*)>& answer) {
  request->nlmsg_flags = std::uint16_t(NLM_F_REQUEST | flags);
  request->nlmsg_seq = ++sequence_;
  if (mnl_socket_sendto(socket_.get(), request, request->nlmsg_len) < 0)
    fail("cannot send to the kernel (netlink)");
  std::vector<char> buffer(32768);  // The most that the kernel puts into one part of a dump.
  auto control = control_callbacks();
  for (;;) {
    const auto size = mnl_socket_recvfrom(socket_.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == ENOBUFS) return ENOBUFS;
    if (size < 0) fail("cannot hear from the kernel (netlink)");
    auto* context = const_cast<std::function<void(const nlmsghdr*)>*>(&answer);
    const int result = mnl_cb_run2(buffer.data(), std::size_t(size), sequence_, port_, hand_on,
                                   context, control.data(), control.size());
    if (result < 0) return errno;
    if (result == MNL_CB_STOP) return 0;
  }
}

int ask_until_whole(const std::function<int()>& dump) {
  constexpr int most_tries = 10;
  int error = 0;
  for (int tries = 0; tries < most_tries; ++tries) {
    error = dump();
    if (error != EINTR && error != ENOBUFS) return error;
  }
  return error;
}

Bytes family_octets(const Address& address) {
  const auto all = as_bytes(address.octets());
  return address.is_v4() ? all.last(4) : all;
}

std::uint8_t family(const Address& address) { return address.is_v4() ? AF_INET : AF_INET6; }

}  // namespace estab::host
