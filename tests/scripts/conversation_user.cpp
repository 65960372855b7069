// SPDX-License-Identifier: Apache-2.0
// The program's side of a conversation: the calls of RFC 9293 §3.9.1, and what is the case.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "conversation.hpp"

namespace estab::script {

void Conversation::collect_notices() {
  Notice notice;
  while (stack_.next_notice(notice))
    for (auto& [sockets, line] : lines_) {
      const bool ours = notice.connection == ConnectionId{}
                            ? notice.listener == listener_ && &line == line_
                            : notice.connection == line.id;
      if (!ours) continue;
      line.notices |= notice.bits;
      if (notice.error != Error::none) line.error = notice.error;
    }
}

// --- Calls ---------------------------------------------------------------------------------------

void Conversation::user_listen(const ListenOptions& options, Where w) {
  settle(w);
  if (failed_) return;
  said("user listen");
  const auto id = stack_.listen({{}, line_->flow.local.port}, options, now_);
  if (!id) return fail(fmt::format("listen: {}", message(id.error())), w);
  listener_ = *id;
  poll();
}

void Conversation::user_accept(Where w) {
  settle(w);
  if (failed_) return;
  said("user accept");
  const auto id = stack_.accept(listener_);
  if (!id) return fail(fmt::format("accept: {}", message(id.error())), w);
  line_->id = *id;
  poll();
}

void Conversation::user_connect(Where w) {
  settle(w);
  if (failed_) return;
  said("user connect");
  const auto id = stack_.connect(
      {.remote = line_->flow.remote, .local = line_->flow.local, .options = {}}, now_);
  if (!id) return fail(fmt::format("connect: {}", message(id.error())), w);
  line_->id = *id;
  poll();
}

void Conversation::user_connect_listener(Where w) {
  settle(w);
  if (failed_) return;
  said("user connect, from LISTEN");
  const auto id = stack_.connect(listener_, line_->flow.remote, now_);
  if (!id) return fail(fmt::format("connect: {}", message(id.error())), w);
  line_->id = *id;
  poll();
}

void Conversation::user_send(std::uint32_t octets, SendFlags flags, Where w) {
  settle(w);
  if (failed_) return;
  said(fmt::format("user send {}{}{}", octets, flags.urgent ? " urgent" : "",
                   flags.more ? " more" : ""));
  std::vector<std::byte> text(octets);
  if (scene_.check_text)
    for (std::uint32_t i = 0; i < octets; ++i) text[i] = octet_at(1 + line_->written + i);
  const auto taken = stack_.send(line_->id, text, flags, now_);
  if (!taken) return fail(fmt::format("send: {}", message(taken.error())), w);
  if (*taken != octets) return fail(fmt::format("send took {} of {}", *taken, octets), w);
  line_->written += octets;
  poll();
}

void Conversation::user_receive(std::uint32_t octets, Where w) {
  settle(w);
  if (failed_) return;
  said(fmt::format("user receive {}", octets));
  std::vector<std::byte> text(octets);
  const auto got = stack_.receive(line_->id, text, now_);
  if (!got) return fail(fmt::format("receive: {}", message(got.error())), w);
  if (*got != octets) return fail(fmt::format("receive gave {} of {}", *got, octets), w);
  for (std::uint32_t i = 0; i < octets; ++i)
    if (text[i] != octet_at(1 + line_->read + i))
      return fail(fmt::format("octet {} was read with another value", 1 + line_->read + i), w);
  line_->read += octets;
  poll();
}

void Conversation::user_receive_end(Where w) { user_receive_error(Error::none, w); }

void Conversation::user_receive_error(Error error, Where w) {
  settle(w);
  if (failed_) return;
  said("user receive");
  std::byte one[1];
  const auto got = stack_.receive(line_->id, one, now_);
  const auto told = got ? Error::none : got.error();
  if (told != error || (got && *got != 0))
    fail(fmt::format("receive: {}, not {}", got ? "text" : message(told), message(error)), w);
  poll();
}

void Conversation::user_shutdown(Where w) {
  settle(w);
  if (failed_) return;
  said("user shutdown");
  if (const auto done = stack_.shutdown(line_->id, now_); !done)
    return fail(fmt::format("shutdown: {}", message(done.error())), w);
  poll();
}

void Conversation::user_close(Where w) {
  settle(w);
  if (failed_) return;
  said("user close");
  if (const auto done = stack_.close(line_->id, now_); !done)
    return fail(fmt::format("close: {}", message(done.error())), w);
  poll();
}

void Conversation::user_abort(Where w) {
  settle(w);
  if (failed_) return;
  said("user abort");
  if (const auto done = stack_.abort(line_->id, now_); !done)
    return fail(fmt::format("abort: {}", message(done.error())), w);
  poll();
}

void Conversation::user_options(const tcp::Options& options, Where w) {
  settle(w);
  if (failed_) return;
  said("user set options");
  if (const auto done = stack_.set_options(line_->id, options, now_); !done)
    return fail(fmt::format("set_options: {}", message(done.error())), w);
  poll();
}

tcp::Options Conversation::options() {
  const auto options = stack_.options(line_->id);
  return options ? *options : tcp::Options{};
}

void Conversation::open_passive(std::string_view rest, Where w) {
  if (!stack_.status(listener_)) user_listen({}, w);
  peer(fmt::format("S 0:0 {}", rest), w);
  expect("S. 0:0 ack 1", w);
  // Only the window and a timestamp go on after the SYN.
  const auto spec = parse_spec(fmt::format("S {}", rest));
  const bool clock = rest.find("TS") != rest.npos && scene_.tcp.timestamps;
  peer(fmt::format(". 1:1 ack 1 win {}{}", spec.window.value_or(65535),
                   clock ? " <nop,nop,TS 1 0>" : ""),
       w);
  user_accept(w);
  state(State::established, w);
}

void Conversation::open_active(std::string_view rest, Where w) {
  user_connect(w);
  expect("S 0:0", w);
  peer(fmt::format("S. 0:0 ack 1 {}", rest), w);
  expect(". 1:1 ack 1", w);
  state(State::established, w);
}

// --- What is the case
// ------------------------------------------------------------------------------

State Conversation::state_of_line() {
  const auto snapshot = stack_.snapshot(now_);
  const auto of_line = [&](const auto& record) { return record.flow == line_->flow; };
  if (const auto it = std::ranges::find_if(snapshot.connections, of_line);
      it != snapshot.connections.end())
    return it->state;
  if (std::ranges::any_of(snapshot.half_open, of_line)) return State::syn_received;
  if (std::ranges::any_of(snapshot.time_wait, of_line)) return State::time_wait;
  const auto listens = [&](const ListenerInfo& l) {
    return l.local.port == line_->flow.local.port;
  };
  return std::ranges::any_of(snapshot.listeners, listens) ? State::listen : State::closed;
}

void Conversation::state(State expected, Where w) {
  if (failed_) return;
  const State actual = state_of_line();
  check(actual == expected, fmt::format("the state is {}, not {}", name(actual), name(expected)),
        w);
}

void Conversation::notified(std::uint16_t bits, Where w) {
  if (failed_) return;
  collect_notices();
  check((line_->notices & bits) == bits,
        fmt::format("the program was told {:#x}, not {:#x}", line_->notices, bits), w);
  line_->notices &= std::uint16_t(~bits);
}

void Conversation::not_notified(std::uint16_t bits, Where w) {
  if (failed_) return;
  collect_notices();
  check((line_->notices & bits) == 0,
        fmt::format("the program was told {:#x}, which holds {:#x}", line_->notices, bits), w);
}

void Conversation::ended_with(Error error, Where w) {
  if (failed_) return;
  notified(notice::closed, w);
  check(line_->error == error,
        fmt::format("the program was told '{}', not '{}'", message(line_->error), message(error)),
        w);
}

ConnectionInfo Conversation::status(Where w) {
  const auto info = stack_.status(line_->id, now_);
  if (!info) fail(fmt::format("status: {}", message(info.error())), w);
  return info.value_or(ConnectionInfo{});
}

void Conversation::check(bool holds, const std::string& what, Where w) {
  if (!holds) fail(what, w);
}

// --- The dialogue
// ------------------------------------------------------------------------------------

void Conversation::said(std::string words) {
  dialogue_.push_back({{.at = now_, .flow = line_->flow}, {}, std::move(words)});
}

std::string Conversation::describe(const Entry& entry) const {
  const auto& event = entry.event;
  const double seconds = std::chrono::duration<double>(event.at - start_).count();
  auto line = fmt::format("{:>12.6f}  ", seconds);
  if (!entry.words.empty()) return line + entry.words;
  switch (event.kind) {
    case EventKind::received:
    case EventKind::dropped:    line += "> "; break;
    case EventKind::sent:       line += "< "; break;
    case EventKind::transition:
    case EventKind::first_text: line += "  "; break;
  }
  const auto ip = wire::parse_ip(entry.packet, entry.packet.size());
  const auto found = lines_.find({event.flow.local, event.flow.remote});
  if (ip && ip->protocol == wire::Protocol::tcp && found != lines_.end() &&
      wire::parse_tcp(Bytes{entry.packet}.subspan(ip->header_length))) {
    const auto numbering =
        event.kind == EventKind::sent ? outgoing(found->second) : incoming(found->second);
    line += spell(read_segment(Bytes{entry.packet}.subspan(ip->header_length), numbering));
  } else if (event.length > 0) {
    line += fmt::format("{} octets", event.length);
  }
  if (number(event.flow.remote.port) != peer_port)
    line += fmt::format("  [{}]", event.flow.remote.to_string());
  line += fmt::format("   {}", name(event.before));
  if (event.before != event.after) line += fmt::format(" -> {}", name(event.after));
  if (event.kind == EventKind::dropped) line += "   dropped";
  return line + fmt::format("   {}", text(event.reason).name);
}

std::string Conversation::transcript() const {
  std::string all;
  for (const auto& entry : dialogue_) all += describe(entry) + "\n";
  return all;
}

void Conversation::fail(const std::string& what, Where w) {
  if (failed_) return;
  failed_ = true;
  ADD_FAILURE_AT(w.file_name(), int(w.line()))
      << what << "\n  at "
      << fmt::format("{:.6f}", std::chrono::duration<double>(elapsed()).count())
      << " s; the dialogue (> arrives, < leaves):\n"
      << transcript();
}

}  // namespace estab::script
