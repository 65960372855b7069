// SPDX-License-Identifier: Apache-2.0
// relay(a, b): everything that either stream reads is written to the other, until both have ended.
#pragma once
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>

#include "estab/net/socket.hpp"

namespace estab::net {

enum class relay_side : std::uint8_t { neither, a, b };

struct relay_counts {
  std::uint64_t a_to_b = 0, b_to_a = 0;        // Octets written.
  relay_side failed_by = relay_side::neither;  // Whose error ended it.
};

struct relay_options {
  // Both are reset, with timed_out, when neither has taken an octet for so long, or up to a quarter
  // longer; 0: never.
  Duration idle{};
  // The same while neither has ever sent an octet; 0: as `idle`. The shorter of the two counts.
  Duration first{};
};

// Tells the peer of a stream that no more is coming, the other way staying open; and gives a
// stream up in such a way that its peer cannot mistake what it got for the whole. Overload them,
// in the stream's namespace, for streams that are no sockets.
template <class Stream>
void relay_shutdown(Stream& stream) {
  error_code ignored;  // The peer may be gone already.
  stream.shutdown(boost::asio::socket_base::shutdown_send, ignored);
}
template <class Stream>
void relay_abort(Stream& stream) {
  error_code ignored;
  if constexpr (requires { stream.abort(); }) {
    stream.abort();
  } else {
    stream.set_option(boost::asio::socket_base::linger{true, 0}, ignored);
    stream.close(ignored);
  }
}
// Octets written to a stream that its peer has not taken yet; 0 where nobody knows. While they
// become fewer, a relay is not idle.
template <class Stream>
std::uint64_t relay_waiting(Stream& stream) {
  error_code ignored;
  if constexpr (requires { stream.status(ignored).send_queue; }) {
    return stream.status(ignored).send_queue;
  } else if constexpr (requires { ::ioctl(stream.native_handle(), TIOCOUTQ); }) {
    int octets = 0;
    return ::ioctl(stream.native_handle(), TIOCOUTQ, &octets) == 0 ? std::uint64_t(octets) : 0;
  } else {
    return 0;
  }
}
// What has ended a stream, asked when async_wait(wait_error) is over; none: it goes on.
template <class Stream>
error_code relay_failure(Stream& stream) {
  error_code none;
  if constexpr (requires { stream.complaint(); }) {
    return stream.status(none).state == State::closed ? stream.complaint() : none;
  } else {
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(stream.native_handle(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) return none;
    return {error, boost::system::system_category()};
  }
}

namespace detail {

template <class A, class B>
class Relay : public std::enable_shared_from_this<Relay<A, B>> {
 public:
  Relay(A& a, B& b, const relay_options& options, Handler<relay_counts> handler)
      : a_(a),
        b_(b),
        executor_(boost::asio::get_associated_executor(handler, a.get_executor())),
        handler_(std::move(handler)),
        options_(options),
        timer_(a.get_executor()) {}

  void start() {
    auto slot = boost::asio::get_associated_cancellation_slot(handler_);
    if (slot.is_connected())
      slot.assign([weak = this->weak_from_this()](boost::asio::cancellation_type type) {
        const auto self = weak.lock();
        if (self && (type & boost::asio::cancellation_type::terminal) !=
                        boost::asio::cancellation_type::none)
          self->fail(boost::asio::error::operation_aborted, relay_side::neither);
      });
    watch(a_, relay_side::a);
    watch(b_, relay_side::b);
    look_later();
    read(a_, b_, a_to_b_);
    read(b_, a_, b_to_a_);
  }

 private:
  static constexpr std::size_t buffer_size = 64
                                             << 10;  // Octets each way: what back-pressure allows.
  static constexpr unsigned looks = 4;               // Within the time that may pass idle.
  struct Way {
    relay_side from, to;
    std::unique_ptr<std::byte[]> buffer = std::make_unique_for_overwrite<std::byte[]>(buffer_size);
    std::uint64_t octets = 0;
  };
  struct Progress {
    std::uint64_t a_to_b = 0, b_to_a = 0, waiting_for_a = 0, waiting_for_b = 0;
    friend bool operator==(const Progress&, const Progress&) = default;
  };

  template <class From, class To>
  void read(From& from, To& to, Way& way) {
    from.async_read_some(
        boost::asio::buffer(way.buffer.get(), buffer_size),
        continue_with([this, &from, &to, &way](error_code error, std::size_t size) {
          if (error == boost::asio::error::eof) {
            relay_shutdown(to);
            return end_way();
          }
          if (error) return end_way(error, way.from);
          write(from, to, way, 0, size);
        }));
  }
  // Each part is counted as it goes, so that a peer that is slow to take a buffer is not idle.
  template <class From, class To>
  void write(From& from, To& to, Way& way, std::size_t begin, std::size_t end) {
    to.async_write_some(
        boost::asio::buffer(way.buffer.get() + begin, end - begin),
        continue_with([this, &from, &to, &way, begin, end](error_code error, std::size_t written) {
          way.octets += written;
          if (error) return end_way(error, way.to);
          if (begin + written < end) return write(from, to, way, begin + written, end);
          read(from, to, way);
        }));
  }
  // Sees a stream fail that is neither read nor written, because the other side takes nothing.
  template <class Stream>
  void watch(Stream& stream, relay_side side) {
    if constexpr (requires { stream.async_wait(Stream::wait_error, [](error_code) {}); })
      stream.async_wait(
          Stream::wait_error,
          boost::asio::bind_cancellation_slot(watches_[side == relay_side::a ? 0 : 1].slot(),
                                              continue_with([this, &stream, side](error_code over) {
                                                if (over || ways_ == 0 || error_) return;
                                                if (const auto why = relay_failure(stream))
                                                  fail(why, side);
                                              })));
  }
  // 0: for ever.
  [[nodiscard]] Duration patience() const {
    const bool begun = a_to_b_.octets + b_to_a_.octets > 0;
    if (begun || options_.first == Duration{}) return options_.idle;
    return options_.idle == Duration{} ? options_.first : std::min(options_.idle, options_.first);
  }
  void look_later() {
    if (patience() == Duration{}) return;
    timer_.expires_after(patience() / looks);
    timer_.async_wait(continue_with([this](error_code cancelled) {
      if (!cancelled && ways_ > 0 && !error_) look();
    }));
  }
  void look() {
    const Progress now{a_to_b_.octets, b_to_a_.octets, relay_waiting(a_), relay_waiting(b_)};
    quiet_looks_ = now == seen_ ? quiet_looks_ + 1 : 0;
    seen_ = now;
    if (quiet_looks_ == looks) return fail(boost::asio::error::timed_out, relay_side::neither);
    look_later();
  }
  // Keeps this alive, and in the one executor, until the step is done.
  template <class Step>
  auto continue_with(Step step) {
    return boost::asio::bind_executor(
        executor_, [self = this->shared_from_this(), step = std::move(step)](
                       error_code error, auto... more) mutable { step(error, more...); });
  }

  void end_way(error_code error = {}, relay_side by = relay_side::neither) {
    if (error) fail(error, by);
    if (--ways_ > 0) return;
    timer_.cancel();
    for (auto& watch : watches_) watch.emit(boost::asio::cancellation_type::all);
    std::move(handler_)(error_, relay_counts{a_to_b_.octets, b_to_a_.octets, failed_by_});
  }
  // What one stream has lost must not look complete to the other.
  void fail(error_code error, relay_side by) {
    if (error_) return;
    error_ = error;
    failed_by_ = by;
    relay_abort(a_);
    relay_abort(b_);
  }

  A& a_;
  B& b_;
  boost::asio::any_completion_executor executor_;
  Handler<relay_counts> handler_;
  Way a_to_b_{relay_side::a, relay_side::b}, b_to_a_{relay_side::b, relay_side::a};
  int ways_ = 2;
  error_code error_;
  relay_side failed_by_ = relay_side::neither;
  std::array<boost::asio::cancellation_signal, 2> watches_;  // Of a and b.
  relay_options options_;
  boost::asio::steady_timer timer_;
  unsigned quiet_looks_ = 0;
  Progress seen_;
};

}  // namespace detail

// Passes octets between two streams (ours, the kernel's, any with async_read_some and
// async_write_some) both ways, each no faster than the other side takes them. An end of one is
// passed on as an end, while the other way goes on; an error ends both with a reset. Completes,
// when both ways have ended, with what went wrong, if anything: void(error_code, relay_counts).
// The streams must live until then, be left alone, and share one implicit or explicit strand.
// Terminal cancellation aborts both.
template <class A, class B, class Token = boost::asio::use_awaitable_t<>>
auto relay(A& a, B& b, const relay_options& options, Token&& token = {}) {
  return boost::asio::async_initiate<Token, void(error_code, relay_counts)>(
      [](auto&& handler, A* first, B* second, const relay_options& chosen) {
        std::make_shared<detail::Relay<A, B>>(
            *first, *second, chosen,
            detail::Handler<relay_counts>{std::forward<decltype(handler)>(handler)})
            ->start();
      },
      token, &a, &b, options);
}
template <class A, class B, class Token = boost::asio::use_awaitable_t<>>
  requires(!std::is_same_v<std::remove_cvref_t<Token>, relay_options>)
auto relay(A& a, B& b, Token&& token = {}) {
  return relay(a, b, relay_options{}, std::forward<Token>(token));
}

}  // namespace estab::net
