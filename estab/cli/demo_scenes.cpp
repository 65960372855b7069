// SPDX-License-Identifier: Apache-2.0
// The scenes. Each line says what leaves, with which flags, and in which states it puts the ends:
// first ours, then the peer's. That is what is drawn, and what is checked.
#include "estab/cli/demo_scenes.hpp"

#include "estab/cli/commands.hpp"

namespace estab::cli::demo {
namespace {

using enum State;
constexpr Side us = Side::us, peer = Side::peer;

void must(bool condition, const char* otherwise) {
  if (!condition) throw Failure(otherwise);
}

void handshake(Stage& s) {
  s.listen(peer);
  s.begin({closed, listen});
  s.connect(us);
  s.holds({syn_sent, listen});
  s.deliver(us, "SYN", {syn_sent, syn_received});
  s.deliver(peer, "SYN,ACK", {established, syn_received});
  s.deliver(us, "ACK", {established, established});
  s.accept(peer);
}

void why_three(Stage& s) {
  s.listen(peer);
  s.begin({closed, listen});
  s.divert_next(us);
  s.connect(us);
  s.departs(us, "SYN", {syn_sent, listen});
  s.old_duplicate(1000, {syn_sent, syn_received});
  s.deliver(peer, "SYN,ACK", {syn_sent, syn_received});
  s.deliver(us, "RST", {syn_sent, listen});
  s.arrives(us, {syn_sent, syn_received});
  s.deliver(peer, "SYN,ACK", {established, syn_received});
  s.deliver(us, "ACK", {established, established});
  s.accept(peer);
}

void push(Stage& s) {
  s.establish();
  s.begin({established, established});
  s.send(us, "GET /hello");
  s.deliver(us, "PSH,ACK", {established, established});
  s.receive(peer, "GET /hello");
  s.deliver(peer, "ACK", {established, established});
  s.send(peer, "hello, world");
  s.deliver(peer, "PSH,ACK", {established, established});
  s.receive(us, "hello, world");
  s.deliver(us, "ACK", {established, established});
}

void urgent(Stage& s) {
  s.establish();
  s.begin({established, established});
  s.send(us, "work");
  s.deliver(us, "PSH,ACK", {established, established});
  s.deliver(peer, "ACK", {established, established});
  s.send(us, "stop!", true);
  s.deliver(us, "PSH,URG,ACK", {established, established});
  must(s.urgency(peer).announced, "the peer's program was told of no urgent data");
  s.holds({established, established}, "urgent data: its program is told");
  s.receive(peer, "workstop");
  must(s.urgency(peer).at_mark, "the peer's program does not see where the urgent octet is");
  s.holds({established, established}, "\"workstop\" read: at the mark");
  s.receive(peer, "!");
  s.deliver(peer, "ACK", {established, established});
}

void half_close(Stage& s) {
  s.establish();
  s.begin({established, established});
  s.send(us, "GET /hello");
  s.deliver(us, "PSH,ACK", {established, established});
  s.deliver(peer, "ACK", {established, established});
  s.receive(peer, "GET /hello");
  s.shutdown(us);
  s.holds({fin_wait_1, established});
  s.deliver(us, "FIN,ACK", {fin_wait_1, close_wait});
  s.deliver(peer, "ACK", {fin_wait_2, close_wait});
  for (const auto text : {"hello, ", "world"}) {
    s.send(peer, text);
    s.deliver(peer, "PSH,ACK", {fin_wait_2, close_wait});
    s.receive(us, text);
    s.deliver(us, "ACK", {fin_wait_2, close_wait});
  }
  s.shutdown(peer);
  s.holds({fin_wait_2, last_ack});
  s.deliver(peer, "FIN,ACK", {time_wait, last_ack});
  s.deliver(us, "ACK", {time_wait, closed});
}

void close_client(Stage& s) {
  s.establish();
  s.begin({established, established});
  s.shutdown(us);
  s.holds({fin_wait_1, established});
  s.deliver(us, "FIN,ACK", {fin_wait_1, close_wait});
  s.deliver(peer, "ACK", {fin_wait_2, close_wait});
  s.shutdown(peer);
  s.holds({fin_wait_2, last_ack});
  s.deliver(peer, "FIN,ACK", {time_wait, last_ack});
  s.deliver(us, "ACK", {time_wait, closed});
}

void close_server(Stage& s) {
  s.establish();
  s.begin({established, established});
  s.shutdown(peer);
  s.holds({established, fin_wait_1});
  s.deliver(peer, "FIN,ACK", {close_wait, fin_wait_1});
  s.deliver(us, "ACK", {close_wait, fin_wait_2});
  s.shutdown(us);
  s.holds({last_ack, fin_wait_2});
  s.deliver(us, "FIN,ACK", {last_ack, time_wait});
  s.deliver(peer, "ACK", {closed, time_wait});
}

// Our program closes in the same moment in which it hears of the FIN: our ACK need not go alone.
void close_three(Stage& s) {
  s.establish();
  s.begin({established, established});
  s.shutdown(peer);
  s.holds({established, fin_wait_1});
  s.deliver(peer, "FIN,ACK", {close_wait, fin_wait_1});
  s.shutdown(us);
  s.holds({last_ack, fin_wait_1});
  s.deliver(us, "FIN,ACK", {last_ack, time_wait});
  s.deliver(peer, "ACK", {closed, time_wait});
}

void simultaneous_open(Stage& s) {
  s.begin({closed, closed});
  s.connect(us);
  s.departs(us, "SYN", {syn_sent, closed});
  s.connect(peer);
  s.departs(peer, "SYN", {syn_sent, syn_sent});
  s.arrives(us, {syn_sent, syn_received});
  s.arrives(peer, {syn_received, syn_received});
  s.departs(us, "SYN,ACK", {syn_received, syn_received});
  s.departs(peer, "SYN,ACK", {syn_received, syn_received});
  // Linux 6 takes the SYN-ACK and acknowledges it once more; older ones wait for a plain ACK.
  const bool taken = s.arrives_or(us, {syn_received, established}, {syn_received, syn_received});
  s.arrives(peer, {established, taken ? established : syn_received});
  if (s.peer_is_kernel()) s.deliver(peer, "ACK", {established, taken ? established : syn_received});
  if (taken) return;
  s.send(us, "hello");
  s.deliver(us, "PSH,ACK", {established, established});
}

void simultaneous_close(Stage& s) {
  s.establish();
  s.begin({established, established});
  s.shutdown(us);
  s.departs(us, "FIN,ACK", {fin_wait_1, established});
  s.shutdown(peer);
  s.departs(peer, "FIN,ACK", {fin_wait_1, fin_wait_1});
  s.arrives(us, {fin_wait_1, closing});
  s.arrives(peer, {closing, closing});
  s.departs(us, "ACK", {closing, closing});
  s.departs(peer, "ACK", {closing, closing});
  s.arrives(us, {closing, time_wait});
  s.arrives(peer, {time_wait, time_wait});
}

void refused(Stage& s) {
  s.begin({closed, closed});
  s.connect(us);
  s.holds({syn_sent, closed});
  s.deliver(us, "SYN", {syn_sent, closed});
  s.deliver(peer, "RST,ACK", {closed, closed});
  const auto error = s.our_error();
  must(!error.empty(), "our program has not been told that the connection was refused");
  s.holds({closed, closed}, "connect: " + error);
}

void time_wait_in_ss(Stage& s) {
  s.establish();
  s.begin({established, established});
  s.shutdown(peer);
  s.deliver(peer, "FIN,ACK", {close_wait, fin_wait_1});
  s.deliver(us, "ACK", {close_wait, fin_wait_2});
  s.shutdown(us);
  s.divert_next(peer);
  s.deliver(us, "FIN,ACK", {last_ack, time_wait});
  s.lost(peer, "ACK", {last_ack, time_wait});
  s.show_ss();
  s.deliver(us, "FIN,ACK", {last_ack, time_wait});
  s.deliver(peer, "ACK", {closed, time_wait});
}

constexpr Scene all_scenes[] = {
    {"handshake", "three segments open a connection",
     "Each end picks the number that its octets are counted from (J, K), tells the other in a SYN, "
     "and hears it acknowledged; a SYN takes one number itself, hence J+1. The ACK of J rides on "
     "the SYN of K, so four messages take three segments. [RFC 9293 §3.5, Figure 6]",
     us, handshake},
    {"why-three", "an old SYN turns up, and the third segment tells it off",
     "While the client's SYN is held on the way, an old one of its reaches the server, which "
     "cannot know that it is old and answers; the client can, and its RST sends the server back "
     "to LISTEN before the true SYN opens. With two segments the server would have been "
     "ESTABLISHED at the old one, in a connection that nobody wants. [RFC 9293 §3.5, Figure 8]",
     us, why_three},
    {"push", "data, and PSH: hand them over, do not wait for more",
     "seq names the first octet of a text, ack the next one that is awaited: ten octets from J+1 "
     "are acknowledged with J+11. PSH marks the end of what a program has written, so that the "
     "receiver hands it on at once. [RFC 9293 §3.9.1.2]",
     us, push},
    {"urgent", "URG points to the end of what is urgent",
     "Urgent data go in line like all the others, and the pointer (urg) names the octet after "
     "their last one; what is new is that the receiver's program is told at once, and can tell "
     "when it reads that octet; new programs should not use it. [RFC 9293 §3.8.5, RFC 6093]",
     us, urgent},
    {"half-close", "a FIN closes one direction, and the other goes on",
     "The client has said all that it has to say, and its FIN, which takes a number as a SYN does, "
     "tells so. It goes on reading, in FIN-WAIT-2, for as long as the server, in CLOSE-WAIT, likes "
     "to write. [RFC 9293 §3.6.1]",
     us, half_close},
    {"close-client", "four segments close, begun by the client",
     "Each direction is closed by itself: a FIN and its ACK, twice, which makes four. Who closes "
     "first ends in TIME-WAIT; the other is in CLOSE-WAIT until its program closes too, then in "
     "LAST-ACK. [RFC 9293 §3.6, Figure 12]",
     us, close_client},
    {"close-server", "four segments close, begun by the server",
     "Client and server are words for the opening; either may close first, and the states are the "
     "same with the sides changed. TIME-WAIT is now the server's. [RFC 9293 §3.6, Figure 12]",
     us, close_server},
    {"close-three", "three segments close: the FIN rides with the ACK",
     "The server's program closes at once when it hears of the FIN, so its own FIN goes in the "
     "segment that acknowledges the client's. The client goes from FIN-WAIT-1 straight to "
     "TIME-WAIT. [RFC 9293 §3.10.7.4]",
     peer, close_three},
    {"simultaneous-open", "two SYNs cross, and make one connection",
     "Nobody listens: each end connects from the port that the other connects to, and each SYN "
     "passes the other on the way. Both go through SYN-RECEIVED, and one connection comes of it, "
     "not two. [RFC 9293 §3.5, Figure 7]",
     us, simultaneous_open},
    {"simultaneous-close", "two FINs cross, and both ends wait",
     "Each end has sent its FIN before it sees the other's: CLOSING is to have the peer's FIN, and "
     "no ACK of one's own yet. Both have closed first, so both end in TIME-WAIT. "
     "[RFC 9293 §3.6, Figure 13]",
     us, simultaneous_close},
    {"refused", "nobody listens, and RST says so",
     "A SYN to a port on which nobody listens is answered with a reset that acknowledges it, lest "
     "an old one end a new attempt. The program learns at once what it would else learn after "
     "minutes of silence. [RFC 9293 §3.5.2, §3.10.7.1]",
     us, refused},
    {"time-wait", "TIME-WAIT, its reason, and how ss shows it",
     "The last ACK is lost, so the other end sends its FIN again: somebody must still be there to "
     "answer. Hence who closed first waits for twice the longest life of a segment, here 60 s, in "
     "which old segments of the connection die out as well. [RFC 9293 §3.6.1, §3.4.2]",
     peer, time_wait_in_ss},
};

}  // namespace

std::span<const Scene> scenes() { return all_scenes; }

}  // namespace estab::cli::demo
