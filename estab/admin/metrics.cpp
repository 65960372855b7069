// SPDX-License-Identifier: Apache-2.0
#include "estab/admin/metrics.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <initializer_list>

namespace estab::admin {
namespace {

enum class Type : std::uint8_t { gauge, counter, info };

// Metrics of one name. The sentences stand as they are in both formats: they need no escape.
struct Family {
  std::string_view name;  // Without the "_total" of a counter or the "_info" of an info.
  Type type;
  std::string_view sentence;
  std::string_view unit = "";  // The end of the name, where it has one.
};

struct Label {
  std::string_view name, value;
};

std::string_view suffix_of(Type type) {
  switch (type) {
    case Type::gauge:   return "";
    case Type::counter: return "_total";
    case Type::info:    return "_info";
  }
  std::unreachable();
}

std::string_view name_of(Type type, MetricsFormat format) {
  switch (type) {
    case Type::gauge:   return "gauge";
    case Type::counter: return "counter";
    case Type::info:    return format == MetricsFormat::open_metrics ? "info" : "gauge";
  }
  std::unreachable();
}

// The text grows by a family's head, then by its samples.
class Exposition {
 public:
  explicit Exposition(MetricsFormat format) : format_(format) {}

  void begin(const Family& family) {
    name_ = std::string(family.name) + std::string(suffix_of(family.type));
    const bool open_metrics = format_ == MetricsFormat::open_metrics;
    const std::string_view name = open_metrics ? family.name : name_;
    line({"# HELP ", name, " ", family.sentence});
    line({"# TYPE ", name, " ", name_of(family.type, format_)});
    if (open_metrics && !family.unit.empty()) line({"# UNIT ", name, " ", family.unit});
  }

  template <class Number>
  void sample(std::initializer_list<Label> labels, Number value) {
    text_ += name_;
    char before = '{';
    for (const auto& label : labels) {
      text_ += std::exchange(before, ',');
      text_ += label.name;
      text_ += "=\"";
      escape(label.value);
      text_ += '"';
    }
    if (labels.size() > 0) text_ += '}';
    char digits[32];
    line({" ", {digits, std::to_chars(digits, std::end(digits), value).ptr}});
  }

  std::string end() && {
    if (format_ == MetricsFormat::open_metrics) text_ += "# EOF\n";
    return std::move(text_);
  }

 private:
  void line(std::initializer_list<std::string_view> parts) {
    for (const auto part : parts) text_ += part;
    text_ += '\n';
  }
  void escape(std::string_view value) {
    for (const char c : value) {
      if (c == '\n') {
        text_ += "\\n";
      } else {
        if (c == '\\' || c == '"') text_ += '\\';
        text_ += c;
      }
    }
  }

  MetricsFormat format_;
  std::string name_, text_;
};

// --- Of a listener -------------------------------------------------------------------------------

struct ListenerGauge {
  std::string_view name;
  std::uint32_t ListenerInfo::* value;
  std::string_view sentence;
};
constexpr ListenerGauge listener_gauges[] = {
    {"estab_listener_half_open", &ListenerInfo::half_open, "Records of half-open connections."},
    {"estab_listener_half_open_limit", &ListenerInfo::half_open_limit,
     "How many records of half-open connections there may be."},
    {"estab_listener_accept_queue", &ListenerInfo::accept_queue,
     "Connections that the program has not accepted yet."},
    {"estab_listener_accept_queue_limit", &ListenerInfo::accept_limit,
     "How many connections may wait for the program."},
};

struct ListenerCounter {
  std::string_view name;
  std::uint64_t ListenerInfo::* value;
  std::string_view sentence;
};
constexpr ListenerCounter listener_counters[] = {
    {"estab_listener_syns", &ListenerInfo::syns,
     "SYNs that asked for a connection, those sent again among them."},
    {"estab_passive_opens", &ListenerInfo::accepted, "Handshakes that were completed."},
    {"estab_listen_overflows", &ListenerInfo::accept_overflows,
     "SYNs and ACKs that met a full accept queue: the program is too slow to accept."},
    {"estab_tcp_req_q_full", &ListenerInfo::half_open_overflows,
     "SYNs that found no room for a record: answered by a cookie, or dropped."},
    {"estab_syncookies_sent", &ListenerInfo::cookies_sent, "SYN-ACKs that left no record."},
    {"estab_syncookies_recv", &ListenerInfo::cookies_valid,
     "ACKs without a record whose cookie was ours."},
    {"estab_syncookies_failed", &ListenerInfo::cookies_bad,
     "ACKs without a record whose cookie was not ours."},
    {"estab_syncookies_limited", &ListenerInfo::cookies_limited,
     "ACKs without a record that were not looked at: too many came without timestamps."},
    {"estab_listener_evicted", &ListenerInfo::evicted,
     "Records that went for newer ones before their time."},
    {"estab_listener_syn_acks_limited", &ListenerInfo::syn_acks_limited,
     "SYNs that got no answer: their network left too many unanswered."},
    {"estab_listener_syn_acks_retransmitted", &ListenerInfo::syn_acks_retransmitted,
     "SYN-ACKs that were sent again for want of an answer."},
};

void add_modes(Exposition& out, const Snapshot& snapshot) {
  out.begin({"estab_listener_mode", Type::gauge,
             "How the listener meets SYNs: 1 for the mode it is in, 0 for the others."});
  for (const auto& listener : snapshot.listeners)
    for (const auto mode : {SynMode::normal, SynMode::pressure, SynMode::stateless})
      out.sample({{"local", listener.local.to_string()}, {"mode", name(mode)}},
                 int(listener.mode == mode));
  out.begin({"estab_listener_mode_seconds", Type::gauge,
             "Since the listener came into its mode; 0 if it was never in another.", "seconds"});
  for (const auto& listener : snapshot.listeners)
    out.sample({{"local", listener.local.to_string()}},
               std::chrono::duration<double>(listener.in_mode).count());
}

struct Light {
  std::string_view name;
  bool observe::Lights::* value;
  std::string_view sentence;
};
constexpr Light lights[] = {
    {"estab_listener_under_pressure", &observe::Lights::under_pressure,
     "1 from when the half-open queue is three quarters full until it is a quarter full."},
    {"estab_listener_slow_application", &observe::Lights::slow_application,
     "1 while the same is true of the accept queue: the program is too slow to accept."},
};

// What the flood detector says. "All listeners together" is for monitors to sum up.
void add_verdicts(Exposition& out, std::span<const observe::ListenerPicture> pictures) {
  const auto for_each = [&](auto&& f) {
    for (const auto& picture : pictures)
      if (picture.listener != Endpoint{}) f(picture, picture.listener.to_string());
  };
  out.begin({"estab_listener_verdict", Type::gauge,
             "What the flood detector says of the listener: 1 for its verdict, 0 for the others."});
  for_each([&](const auto& picture, const std::string& local) {
    for (unsigned n = 0; n < observe::verdicts; ++n) {
      const auto verdict = observe::Verdict(n);
      out.sample({{"local", local}, {"verdict", observe::to_string(verdict)}},
                 int(picture.verdict == verdict));
    }
  });
  out.begin({"estab_listener_attack", Type::gauge,
             "1 while that verdict says that somebody forges or floods SYNs."});
  for_each([&](const auto& picture, const std::string& local) {
    out.sample({{"local", local}}, int(observe::is_attack(picture.verdict)));
  });
  for (const auto& light : lights) {
    out.begin({light.name, Type::gauge, light.sentence});
    for_each([&](const auto& picture, const std::string& local) {
      out.sample({{"local", local}}, int(picture.lights.*light.value));
    });
  }
}

void add_listeners(Exposition& out, const Snapshot& snapshot) {
  const auto add = [&](const auto& row, Type type) {
    out.begin({row.name, type, row.sentence});
    for (const auto& listener : snapshot.listeners)
      out.sample({{"local", listener.local.to_string()}}, listener.*row.value);
  };
  for (const auto& row : listener_gauges) add(row, Type::gauge);
  add_modes(out, snapshot);
  for (const auto& row : listener_counters) add(row, Type::counter);
}

// --- Of the stack --------------------------------------------------------------------------------

// Those of the reasons that have a name of their own beside it.
struct ReasonCounter {
  std::string_view name;
  Reason reason;
  std::string_view sentence;
};
constexpr ReasonCounter reason_counters[] = {
    {"estab_out_rsts", Reason::send_rst, "Resets that were sent."},
    {"estab_out_rsts_limited", Reason::reset_limit,
     "Resets that were not sent: too many were, to all or to one network."},
    {"estab_tcp_challenge_ack", Reason::send_challenge_ack, "Challenge ACKs that were sent."},
    {"estab_tcp_ack_skipped_challenge", Reason::challenge_limit,
     "Challenge ACKs that were not sent: enough had been, moments ago."},
    {"estab_tcp_req_q_full_drop", Reason::half_open_full,
     "SYNs, and ACKs of cookies, that were dropped for want of room for a record."},
};

void add_connections(Exposition& out, const Snapshot& snapshot) {
  std::array<std::uint64_t, state_count> count{};
  for (const auto& connection : snapshot.connections) ++count[std::size_t(connection.state)];
  count[std::size_t(State::syn_received)] += snapshot.half_open.size();
  count[std::size_t(State::time_wait)] += snapshot.time_wait.size();
  out.begin({"estab_connections", Type::gauge,
             "Connections by state, half-open and TIME-WAIT records among them."});
  for (int i = 0; i < state_count; ++i)
    if (const auto state = State(i); state != State::closed && state != State::listen)
      out.sample({{"state", name(state)}}, count[std::size_t(i)]);
}

void add_memory(Exposition& out, const Snapshot& snapshot) {
  out.begin({"estab_memory_bytes", Type::gauge, "What the stack holds.", "bytes"});
  out.sample({}, snapshot.memory);
  out.begin({"estab_memory_limit_bytes", Type::gauge, "What the stack may hold.", "bytes"});
  out.sample({}, snapshot.memory_limit);
}

void add_reasons(Exposition& out, const ReasonCounters& counters) {
  for (const auto& row : reason_counters) {
    out.begin({row.name, Type::counter, row.sentence});
    out.sample({}, counters[row.reason]);
  }
  out.begin({"estab_reason", Type::counter, "How often each reason was given."});
  for (std::size_t i = 0; i < reason_count; ++i)
    if (const auto reason = Reason(i); reason != Reason::none)
      out.sample({{"reason", text(reason).name}}, counters[reason]);
}

}  // namespace

std::string_view content_type(MetricsFormat format) {
  switch (format) {
    case MetricsFormat::open_metrics:
      return "application/openmetrics-text; version=1.0.0; charset=utf-8";
    case MetricsFormat::prometheus: return "text/plain; version=0.0.4; charset=utf-8";
  }
  std::unreachable();
}

std::string to_metrics(const ProcessInfo& process, const Snapshot& snapshot,
                       std::span<const observe::ListenerPicture> pictures, MetricsFormat format) {
  Exposition out(format);
  out.begin({"estab_stack", Type::info, "What the metrics are of."});
  out.sample({{"device", process.device}}, 1);
  add_listeners(out, snapshot);
  add_verdicts(out, pictures);
  add_connections(out, snapshot);
  add_memory(out, snapshot);
  add_reasons(out, snapshot.counters);
  return std::move(out).end();
}

}  // namespace estab::admin
