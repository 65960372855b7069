// SPDX-License-Identifier: Apache-2.0
#include "estab/admin/document.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value_from.hpp>

namespace estab::admin {
namespace {

namespace json = boost::json;

std::int64_t microseconds(Duration d) {
  return std::chrono::duration_cast<std::chrono::microseconds>(d).count();
}
std::int64_t milliseconds(Duration d) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
}

json::object describe(const ListenerInfo& listener) {
  return {{"local", to_json(listener.local)},
          {"half_open", listener.half_open},
          {"half_open_limit", listener.half_open_limit},
          {"syn_acks_retransmitted", listener.syn_acks_retransmitted},
          {"accept_queue", listener.accept_queue},
          {"accept_limit", listener.accept_limit},
          {"accepted", listener.accepted},
          {"half_open_overflows", listener.half_open_overflows},
          {"accept_overflows", listener.accept_overflows},
          {"mode", name(listener.mode)},
          {"in_mode_ms", milliseconds(listener.in_mode)},
          {"syns", listener.syns},
          {"evicted", listener.evicted},
          {"cookies_sent", listener.cookies_sent},
          {"cookies_valid", listener.cookies_valid},
          {"cookies_bad", listener.cookies_bad},
          {"cookies_limited", listener.cookies_limited},
          {"syn_acks_limited", listener.syn_acks_limited}};
}

json::object describe(const ConnectionInfo& c) {
  return {{"local", to_json(c.flow.local)},
          {"remote", to_json(c.flow.remote)},
          {"state", name(c.state)},
          {"orphan", c.orphan},
          {"receive_queue", c.receive_queue},
          {"send_queue", c.send_queue},
          {"flight", c.flight},
          {"cwnd", c.cwnd},
          {"ssthresh", c.ssthresh},
          {"send_window", c.send_window},
          {"receive_window", c.receive_window},
          {"send_mss", c.send_mss},
          {"send_scale", c.send_scale},
          {"receive_scale", c.receive_scale},
          {"timestamps", c.timestamps},
          {"sack", c.sack},
          {"retransmissions", c.retransmissions},
          {"srtt_us", microseconds(c.srtt)},
          {"rto_us", microseconds(c.rto)},
          {"octets_sent", c.octets_sent},
          {"octets_received", c.octets_received},
          {"octets_retransmitted", c.octets_retransmitted},
          {"memory", c.memory},
          {"age_ms", milliseconds(c.age)}};
}

json::object describe(const HalfOpenInfo& record) {
  return {{"local", to_json(record.flow.local)},
          {"remote", to_json(record.flow.remote)},
          {"age_ms", milliseconds(record.age)},
          {"retransmissions", record.retransmissions},
          {"deferred", record.deferred}};
}

json::object describe(const TimeWaitInfo& record) {
  return {{"local", to_json(record.flow.local)},
          {"remote", to_json(record.flow.remote)},
          {"left_ms", milliseconds(record.left)}};
}

template <class Info>
json::array describe_all(const std::vector<Info>& infos) {
  json::array all;
  all.reserve(infos.size());
  for (const auto& info : infos) all.emplace_back(describe(info));
  return all;
}

json::array describe(const ReasonCounters& counters) {
  json::array all;
  for (std::size_t i = 0; i < reason_count; ++i) {
    const auto reason = Reason(i);
    if (reason == Reason::none || counters[reason] == 0) continue;
    const auto& words = text(reason);
    all.push_back(json::object{{"reason", words.name},
                               {"clause", words.clause},
                               {"sentence", words.sentence},
                               {"count", counters[reason]}});
  }
  return all;
}

}  // namespace

json::object to_json(const Endpoint& end) {
  return {{"address", end.address.to_string()}, {"port", number(end.port)}};
}

json::object to_json(const ProcessInfo& process, const Snapshot& snapshot) {
  return {{"process", json::object{{"pid", process.pid},
                                   {"service", process.service},
                                   {"device", process.device},
                                   {"addresses", json::value_from(process.addresses)}}},
          {"memory", json::object{{"used", snapshot.memory}, {"limit", snapshot.memory_limit}}},
          {"listeners", describe_all(snapshot.listeners)},
          {"connections", describe_all(snapshot.connections)},
          {"half_open", describe_all(snapshot.half_open)},
          {"time_wait", describe_all(snapshot.time_wait)},
          {"counters", describe(snapshot.counters)}};
}

}  // namespace estab::admin
