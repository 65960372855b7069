// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/ss_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value_to.hpp>
#include <stdexcept>

#include "estab/cli/ss_layout.hpp"

namespace estab::cli {
namespace {

namespace json = boost::json;

std::string string_at(const json::value& object, const char* field) {
  return json::value_to<std::string>(object.at(field));
}
std::uint64_t number_at(const json::value& object, const char* field) {
  return object.at(field).to_number<std::uint64_t>();
}

Endpoint endpoint_at(const json::value& object, const char* field) {
  const auto& end = object.at(field);
  const auto address = Address::parse(string_at(end, "address"));
  if (!address) throw std::invalid_argument("no address: " + string_at(end, "address"));
  return {*address, Port(number_at(end, "port"))};
}

// "10.77.0.2:80", "[fd00::2]:80"; any address "*:80", as ss has it for both families.
std::string endpoint(const json::value& end) {
  const auto address = string_at(end, "address");
  const auto port = number_at(end, "port");
  if (address == "::") return fmt::format("*:{}", port);
  return address.contains(':') ? fmt::format("[{}]:{}", address, port)
                               : fmt::format("{}:{}", address, port);
}

std::string milliseconds(std::uint64_t microseconds) {
  return fmt::format("{:.4g}", double(microseconds) / 1000);
}

std::string info_of(const json::value& c) {
  const auto mss = std::max<std::uint64_t>(number_at(c, "send_mss"), 1);
  std::string line;
  if (c.at("timestamps").as_bool()) line += " ts";
  if (c.at("sack").as_bool()) line += " sack";
  line += fmt::format(" wscale:{},{} rto:{} rtt:{} mss:{} cwnd:{}", number_at(c, "send_scale"),
                      number_at(c, "receive_scale"), milliseconds(number_at(c, "rto_us")),
                      milliseconds(number_at(c, "srtt_us")), mss, number_at(c, "cwnd") / mss);
  if (const auto ssthresh = number_at(c, "ssthresh"); ssthresh < 1u << 30)
    line += fmt::format(" ssthresh:{}", ssthresh / mss);
  line += fmt::format(
      " bytes_sent:{} bytes_retrans:{} bytes_received:{} unacked:{} snd_wnd:{} "
      "rcv_wnd:{}",
      number_at(c, "octets_sent"), number_at(c, "octets_retransmitted"),
      number_at(c, "octets_received"), (number_at(c, "flight") + mss - 1) / mss,
      number_at(c, "send_window"), number_at(c, "receive_window"));
  if (const auto again = number_at(c, "retransmissions"); again > 0)
    line += fmt::format(" backoff:{}", again);
  if (c.at("orphan").as_bool()) line += " orphan";
  return line + fmt::format(" skmem:{}", number_at(c, "memory"));
}

class Table {
 public:
  explicit Table(const SsChoice& choice) : choice_(choice) {}

  void add(const json::value& document) {
    const auto& process = document.at("process");
    process_ = fmt::format("{}/{}", number_at(process, "pid"), string_at(process, "device"));
    for (const auto& listener : document.at("listeners").as_array()) add_listener(listener);
    for (const auto& record : document.at("half_open").as_array()) add_half_open(record);
    for (const auto& connection : document.at("connections").as_array()) add_connection(connection);
    for (const auto& record : document.at("time_wait").as_array()) add_time_wait(record);
  }
  [[nodiscard]] std::string text() const { return ss_layout(rows_, choice_.header); }

 private:
  // Recv-Q and Send-Q of a listener: connections not accepted yet, and how many may wait.
  void add_listener(const json::value& l) {
    const auto details = fmt::format(
        " half_open:{}/{} accepted:{} half_open_overflows:{} accept_overflows:{}",
        number_at(l, "half_open"), number_at(l, "half_open_limit"), number_at(l, "accepted"),
        number_at(l, "half_open_overflows"), number_at(l, "accept_overflows"));
    add("LISTEN", number_at(l, "accept_queue"), number_at(l, "accept_limit"),
        endpoint(l.at("local")), "*:*", details);
  }
  void add_half_open(const json::value& record) {
    const bool deferred = record.at("deferred").as_bool();
    const auto again = number_at(record, "retransmissions");
    add("SYN-RECV", 0, 0, endpoint(record.at("local")),
        endpoint(record.at("remote")) +
            (choice_.timers ? fmt::format(" timer:({},,{})", deferred ? "deferred" : "on", again)
                            : ""),
        "");
  }
  void add_connection(const json::value& c) {
    add(ss_state(string_at(c, "state")), number_at(c, "receive_queue"), number_at(c, "send_queue"),
        endpoint(c.at("local")), endpoint(c.at("remote")), info_of(c));
  }
  void add_time_wait(const json::value& record) {
    const auto left = (number_at(record, "left_ms") + 999) / 1000;
    add("TIME-WAIT", 0, 0, endpoint(record.at("local")),
        endpoint(record.at("remote")) +
            (choice_.timers ? fmt::format(" timer:(timewait,{}sec,0)", left) : ""),
        "");
  }
  void add(const std::string& state, std::uint64_t receive_queue, std::uint64_t send_queue,
           const std::string& local, const std::string& remote, const std::string& details) {
    rows_.push_back({{state, std::to_string(receive_queue), std::to_string(send_queue), local,
                      remote, process_},
                     choice_.info ? details : ""});
  }

  const SsChoice& choice_;
  std::string process_;
  std::vector<SsRow> rows_;
};

std::string counters_of(const json::value& document) {
  const auto& process = document.at("process");
  const auto& memory = document.at("memory");
  auto out =
      fmt::format("\n{} {}: memory {} of {} bytes\n", string_at(process, "service"),
                  number_at(process, "pid"), number_at(memory, "used"), number_at(memory, "limit"));
  for (const auto& counter : document.at("counters").as_array())
    out += fmt::format("{:>12}  {:<26} {} [{}]\n", number_at(counter, "count"),
                       string_at(counter, "reason"), string_at(counter, "sentence"),
                       string_at(counter, "clause"));
  return out;
}

// Nothing: the program is of a version that does not tell.
std::string verdict_on(const json::value& document, const json::value& listener) {
  const auto* handshakes = document.as_object().if_contains("handshakes");
  if (handshakes == nullptr) return {};
  for (const auto& picture : handshakes->as_array())
    if (picture.at("listener") == listener.at("local") && !string_at(picture, "words").empty())
      return ": " + string_at(picture, "words");
  return {};
}

std::string listener_line(const json::value& document, const json::value& l) {
  return fmt::format("{} accept {}/{}, half-open {}/{}, dropped {}, {}{}\n",
                     endpoint(l.at("local")), number_at(l, "accept_queue"),
                     number_at(l, "accept_limit"), number_at(l, "half_open"),
                     number_at(l, "half_open_limit"),
                     number_at(l, "accept_overflows") + number_at(l, "half_open_overflows"),
                     string_at(l, "mode"), verdict_on(document, l));
}

}  // namespace

json::value ss_filtered(json::value document, const SsFilter& filter) {
  const auto keep = [&](const char* field, auto&& matches) {
    json::array kept;
    if (!document.as_object().contains(field)) return;  // Of another version.
    for (const auto& entry : document.at(field).as_array())
      if (matches(entry)) kept.push_back(entry);
    document.as_object()[field] = std::move(kept);
  };
  const auto connected = [&](const json::value& entry, std::string_view state) {
    return filter.matches(state, endpoint_at(entry, "local"), endpoint_at(entry, "remote"));
  };
  const auto listener = [&](const char* name) {
    return [&filter, name](const auto& e) {
      return filter.matches("LISTEN", endpoint_at(e, name), {});
    };
  };
  keep("listeners", listener("local"));
  keep("handshakes", listener("listener"));
  keep("half_open", [&](const auto& e) { return connected(e, "SYN-RECV"); });
  keep("connections", [&](const auto& e) { return connected(e, ss_state(string_at(e, "state"))); });
  keep("time_wait", [&](const auto& e) { return connected(e, "TIME-WAIT"); });
  return document;
}

std::string ss_table(const std::vector<json::value>& documents, const SsChoice& choice) {
  Table table(choice);
  for (const auto& document : documents) table.add(ss_filtered(document, choice.filter));
  auto out = table.text();
  if (choice.counters)
    for (const auto& document : documents) out += counters_of(document);
  return out;
}

std::string ss_closing(const std::vector<json::value>& documents, const SsFilter& filter) {
  std::string out;
  for (const auto& document : documents) {
    for (const auto& listener : document.at("listeners").as_array())
      if (filter.matches_listener(endpoint_at(listener, "local")))
        out += listener_line(document, listener);
  }
  return out.empty() ? out : "\n" + out;
}

}  // namespace estab::cli
