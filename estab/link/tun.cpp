// SPDX-License-Identifier: Apache-2.0
#include "estab/link/tun.hpp"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>

#include "estab/link/cut.hpp"
#include "estab/link/virtio_net.hpp"
#include "estab/wire/largest_datagram.hpp"

namespace estab::link {
namespace {

constexpr const char* clone_device = "/dev/net/tun";

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

[[noreturn]] void fail(int error, const std::string& what) {
  throw std::system_error(error, std::generic_category(), what);
}

int open_clone_device() {
  const int fd = ::open(clone_device, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd >= 0) return fd;
  const std::string what = std::string("cannot open ") + clone_device;
  switch (errno) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
      fail(errno, what +
                      "; load the kernel's module (modprobe tun), or in a container pass the "
                      "device in (--device /dev/net/tun)");
    case EACCES:
    case EPERM:  fail(errno, what + "; run as root, or let this user read and write it");
    default:     fail(errno, what);
  }
}

[[noreturn]] void fail_to_attach(int error, const std::string& name) {
  const auto shown = name.empty() ? std::string("a TUN device") : "the TUN device " + name;
  const auto what = "cannot open " + shown;
  switch (error) {
    case EPERM:
      fail(error, what +
                      "; run as root, give the program the capability CAP_NET_ADMIN (setcap "
                      "cap_net_admin=ep PROGRAM), or have root make the device for you (ip "
                      "tuntap add mode tun user USER name NAME)");
    case EBUSY:
      fail(error, what + "; another program has it: choose another name or end that program");
    case EINVAL:
      fail(error, what +
                      "; a device of that name that is no plain TUN device exists, or it is "
                      "no name for a device: choose another");
    default: fail(error, what);
  }
}

ifreq request_for(const std::string& name) {
  ifreq request{};
  if (name.size() >= sizeof request.ifr_name)
    fail(ENAMETOOLONG,
         "cannot open the TUN device " + name + "; choose a name of at most 15 octets");
  name.copy(request.ifr_name, name.size());
  return request;
}

// Returns the name that the kernel gave the device.
std::string attach(int fd, const std::string& name, bool offload) {
  auto request = request_for(name);
  request.ifr_flags = std::int16_t(IFF_TUN | IFF_NO_PI | (offload ? IFF_VNET_HDR : 0));
  if (::ioctl(fd, TUNSETIFF, &request) != 0) fail_to_attach(errno, name);
  return request.ifr_name;
}

// What the kernel may leave to us: checksums, and cutting.
void accept_offload(int fd) {
  if (::ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) != 0)
    fail(errno, "cannot agree on offloads with the kernel");
}

void set_mtu(const std::string& name, std::uint32_t mtu) {
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  auto request = request_for(name);
  // One that somebody made for us may be right, and not ours to change.
  if (::ioctl(socket.get(), SIOCGIFMTU, &request) == 0 && request.ifr_mtu == int(mtu)) return;
  request.ifr_mtu = int(mtu);
  if (socket.get() < 0 || ::ioctl(socket.get(), SIOCSIFMTU, &request) != 0)
    fail(errno, "cannot set the MTU of " + name + " to " + std::to_string(mtu) +
                    (errno == EINVAL ? "; choose 68 to 65535" : ""));
}

// A name with a pattern, or none, is always a new device's.
bool exists(const std::string& name) { return !name.empty() && ::if_nametoindex(name.c_str()) > 0; }

void set_queue(const std::string& name, std::uint32_t packets) {
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  auto request = request_for(name);
  request.ifr_qlen = int(packets);
  if (socket.get() < 0 || ::ioctl(socket.get(), SIOCSIFTXQLEN, &request) != 0)
    fail(errno, "cannot set the queue of " + name + " to " + std::to_string(packets) + " packets");
}

class Tun final : public Device {
 public:
  explicit Tun(const TunOptions& options) : descriptor_(open_clone_device()) {
    const bool was_there = exists(options.name);
    info_.name = attach(descriptor_.get(), options.name, options.offload);
    set_mtu(info_.name, options.mtu);
    if (!was_there) set_queue(info_.name, options.queue);
    info_.mtu = options.mtu;
    info_.transmit_checksum = options.offload;
    if (!options.offload) return;
    accept_offload(descriptor_.get());
    rest_ = std::make_unique<Rest>();
  }

  [[nodiscard]] const DeviceInfo& info() const override { return info_; }
  [[nodiscard]] int descriptor() const override { return descriptor_.get(); }
  [[nodiscard]] bool ready() const override { return pending_.empty(); }
  [[nodiscard]] std::uint64_t dropped() const override { return dropped_; }

  std::size_t receive(PacketPool& pool, std::span<Packet> out, Instant) override {
    for (std::size_t n = 0; n < out.size(); ++n) {
      Packet packet = pool.allocate(info_.mtu);
      if (!packet) return n;  // The kernel's queue keeps what is there.
      VirtioNetHeader header{};
      const auto size = read(header, packet.linear());
      if (!size) return n;
      if (*size <= packet.size()) packet.truncate(*size);
      else packet = joined(pool, packet, *size);
      if (!packet) return n;  // TCP sends it again.
      packet.offload() = from_virtio(header);
      out[n] = std::move(packet);
    }
    return out.size();
  }

  void transmit(PacketPool& pool, Packet packet, Instant) override {
    assert(wire::fits(packet, info_.mtu));
    if (info_.transmit_checksum && virtio_can_cut(packet)) pending_.push_back(std::move(packet));
    else dropped_ += cut(pool, std::move(packet), pending_);
    write_pending();
  }

  void flush() override {
    write_pending();
    if (fatal_ != 0) fail(fatal_, "cannot write to " + info_.name + "; the device is gone");
  }

 private:
  enum class Outcome : std::uint8_t { taken, later };
  using Rest = std::array<std::byte, 65536>;

  // A plain device has none.
  [[nodiscard]] std::size_t header_size() const { return rest_ ? sizeof(VirtioNetHeader) : 0; }
  // The next packet's header and octets, those that `out` has no room for into rest_. Nothing:
  // there is none now.
  std::optional<std::size_t> read(VirtioNetHeader& header, MutableBytes out) {
    std::array<iovec, 3> parts{{{&header, header_size()},
                                {out.data(), out.size()},
                                {rest_.get(), rest_ ? sizeof(Rest) : 0}}};
    const auto size = ::readv(descriptor_.get(), parts.data(), parts.size());
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
    if (size < 0) fail(errno, "cannot read from " + info_.name + "; the device is gone");
    return std::size_t(size) - header_size();
  }
  // A super-segment in one piece: a buffer for the largest would be far too large for most.
  Packet joined(PacketPool& pool, const Packet& begin, std::size_t size) {
    Packet whole = pool.allocate(size);
    if (!whole) return ++dropped_, Packet();
    begin.copy_to(whole.linear().first(begin.size()));
    std::memcpy(whole.linear().data() + begin.size(), rest_->data(), size - begin.size());
    return whole;
  }

  void write_pending() {
    while (!pending_.empty()) {
      Packet packet = pending_.pop_front();
      if (write(packet) == Outcome::taken) continue;
      pending_.push_front(std::move(packet));
      return;
    }
  }

  Outcome write(const Packet& packet) {
    auto header = to_virtio(packet);
    std::array<iovec, 2 + Packet::max_slices> parts;
    parts[0] = {&header, header_size()};
    int count = 1;
    packet.for_each_part(0, [&](Bytes part) {
      parts[std::size_t(count++)] = {const_cast<std::byte*>(part.data()), part.size()};
    });
    if (::writev(descriptor_.get(), parts.data(), count) >= 0) return Outcome::taken;
    if (errno == EAGAIN || errno == EINTR) return Outcome::later;
    // The device was deleted (EBADFD), or the kernel would not have this packet: the interface is
    // down (EIO), there is no memory (ENOBUFS, ENOMEM).
    if (errno == EBADFD || errno == ENODEV) fatal_ = errno;
    ++dropped_;
    return Outcome::taken;
  }

  Descriptor descriptor_;
  DeviceInfo info_;
  std::unique_ptr<Rest> rest_;
  PacketList pending_;  // Those for which the kernel had no room; the oldest first.
  int fatal_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace

std::unique_ptr<Device> tun(const TunOptions& options) { return std::make_unique<Tun>(options); }

std::expected<void, std::string> tun_usable() {
  try {
    attach(Descriptor(open_clone_device()).get(), {}, true);
    return {};
  } catch (const std::system_error& error) { return std::unexpected(std::string(error.what())); }
}

}  // namespace estab::link
