// SPDX-License-Identifier: Apache-2.0
// The kernel's document, in the shape of a running estab's (estab/admin/document.hpp).
#include <sys/utsname.h>

#include <boost/json/array.hpp>

#include "estab/admin/document.hpp"
#include "estab/cli/ss_kernel.hpp"

namespace estab::cli {
namespace {

namespace json = boost::json;
using host::KernelSocket, host::KernelTimer;

std::int64_t milliseconds(Duration d) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
}

class Document {
 public:
  Document(const KernelView& view, const SsFilter& filter) : view_(view) {
    for (const auto& listener : listeners_of(view))
      if (filter.matches("LISTEN", listener.first().flow.local, {}))
        listeners_.emplace_back(describe(listener));
    for (const auto& socket : view.sockets)
      if (filter.matches(ss_state(name(socket.state)), socket.flow.local, socket.flow.remote))
        add(socket);
  }
  json::object take() {
    return {{"kernel", kernel()},
            {"listeners", std::move(listeners_)},
            {"connections", std::move(connections_)},
            {"half_open", std::move(half_open_)},
            {"time_wait", std::move(time_wait_)},
            {"counters", counters()}};
  }

 private:
  void add(const KernelSocket& socket) {
    switch (socket.state) {
      case State::listen:       break;
      case State::syn_received: half_open_.emplace_back(describe_record(socket)); break;
      case State::time_wait:    time_wait_.emplace_back(describe_wait(socket)); break;
      case State::closed:
      case State::syn_sent:
      case State::established:
      case State::fin_wait_1:
      case State::fin_wait_2:
      case State::close_wait:
      case State::closing:
      case State::last_ack:     connections_.emplace_back(describe(socket)); break;
    }
  }

  static json::object ends(const KernelSocket& socket) {
    return {{"local", admin::to_json(socket.flow.local)},
            {"remote", admin::to_json(socket.flow.remote)},
            {"ipv6", socket.ipv6},
            {"interface", socket.interface}};
  }
  static json::object describe_record(const KernelSocket& socket) {
    auto record = ends(socket);
    const auto age = estimated_age(socket);
    record["estimated_age_ms"] = age ? json::value(milliseconds(*age)) : json::value();
    record["timer_left_ms"] = milliseconds(socket.timer_left);
    record["retransmissions"] = socket.retransmissions;
    return record;
  }
  static json::object describe_wait(const KernelSocket& socket) {
    auto record = ends(socket);
    record["left_ms"] = milliseconds(socket.timer_left);
    return record;
  }
  [[nodiscard]] json::object describe(const KernelSocket& socket) const {
    auto connection = ends(socket);
    connection["state"] = name(socket.state);
    connection["receive_queue"] = socket.receive_queue;
    connection["send_queue"] = socket.send_queue;
    connection["timer"] = name(socket.timer);
    connection["timer_left_ms"] = milliseconds(socket.timer_left);
    connection["retransmissions"] = socket.retransmissions;
    add_holder(connection, socket);
    return connection;
  }
  [[nodiscard]] json::object describe(const KernelListener& listener) const {
    const auto& first = listener.first();
    json::array sockets;
    for (const auto& socket : listener.sockets) {
      json::object one;
      add_holder(one, socket);
      sockets.push_back(std::move(one));
    }
    const auto& oldest = listener.oldest_half_open;
    return {{"local", admin::to_json(first.flow.local)},
            {"ipv6", first.ipv6},
            {"ipv6_only", first.ipv6_only},
            {"interface", first.interface},
            {"half_open", listener.half_open},
            {"half_open_limit", listener.half_open_limit},
            {"estimated_oldest_half_open_ms",
             oldest ? json::value(milliseconds(*oldest)) : json::value()},
            {"accept_queue", listener.accept_queue},
            {"accept_limit", listener.accept_limit},
            {"drops", listener.drops},
            {"sockets", std::move(sockets)}};
  }
  void add_holder(json::object& out, const KernelSocket& socket) const {
    out["uid"] = socket.uid;
    out["inode"] = socket.inode;
    if (!view_.owners) return;
    json::array processes;
    if (const auto at = view_.owners->by_inode.find(socket.inode);
        at != view_.owners->by_inode.end())
      for (const auto& owner : at->second)
        processes.push_back(json::object{
            {"name", owner.name}, {"pid", owner.pid}, {"descriptor", owner.descriptor}});
    out["processes"] = std::move(processes);
  }

  [[nodiscard]] json::object kernel() const {
    utsname system{};
    ::uname(&system);
    const auto since_epoch = view_.time.time_since_epoch();
    return {{"release", system.release},
            {"time_ms", milliseconds(since_epoch)},
            {"syncookies", view_.limits.cookies},
            {"max_syn_backlog", view_.limits.max_backlog}};
  }
  [[nodiscard]] json::array counters() const {
    json::array all;
    for (const auto& [name, count] : view_.counters)
      all.push_back(
          json::object{{"name", name}, {"sentence", counter_sentence(name)}, {"count", count}});
    return all;
  }

  const KernelView& view_;
  json::array listeners_, connections_, half_open_, time_wait_;
};

}  // namespace

json::object ss_kernel_json(const KernelView& view, const SsFilter& filter) {
  return Document(view, filter).take();
}

}  // namespace estab::cli
