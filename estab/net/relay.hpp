// SPDX-License-Identifier: Apache-2.0
// relay(a, b): everything that either stream reads is written to the other, until both have ended.
#pragma once
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <vector>

#include "estab/net/socket.hpp"

namespace estab::net {

struct relay_counts {
  std::uint64_t a_to_b = 0, b_to_a = 0;  // Octets written.
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

namespace detail {

template <class A, class B>
class Relay : public std::enable_shared_from_this<Relay<A, B>> {
 public:
  Relay(A& a, B& b, Handler<relay_counts> handler)
      : a_(a),
        b_(b),
        executor_(boost::asio::get_associated_executor(handler, a.get_executor())),
        handler_(std::move(handler)) {}

  void start() {
    auto slot = boost::asio::get_associated_cancellation_slot(handler_);
    if (slot.is_connected())
      slot.assign([weak = this->weak_from_this()](boost::asio::cancellation_type type) {
        const auto self = weak.lock();
        if (self && (type & boost::asio::cancellation_type::terminal) !=
                        boost::asio::cancellation_type::none)
          self->fail(boost::asio::error::operation_aborted);
      });
    read(a_, b_, a_to_b_);
    read(b_, a_, b_to_a_);
  }

 private:
  static constexpr std::size_t buffer_size = 64
                                             << 10;  // Octets each way: what back-pressure allows.
  struct Way {
    std::unique_ptr<std::byte[]> buffer = std::make_unique_for_overwrite<std::byte[]>(buffer_size);
    std::uint64_t octets = 0;
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
          if (error) return end_way(error);
          write(from, to, way, size);
        }));
  }
  template <class From, class To>
  void write(From& from, To& to, Way& way, std::size_t size) {
    boost::asio::async_write(
        to, boost::asio::buffer(way.buffer.get(), size),
        continue_with([this, &from, &to, &way](error_code error, std::size_t written) {
          way.octets += written;
          if (error) return end_way(error);
          read(from, to, way);
        }));
  }
  // Keeps this alive, and in the one executor, until the step is done.
  template <class Step>
  auto continue_with(Step step) {
    return boost::asio::bind_executor(
        executor_, [self = this->shared_from_this(), step = std::move(step)](
                       error_code error, std::size_t size) mutable { step(error, size); });
  }

  void end_way(error_code error = {}) {
    if (error) fail(error);
    if (--ways_ > 0) return;
    std::move(handler_)(error_, relay_counts{a_to_b_.octets, b_to_a_.octets});
  }
  // What one stream has lost must not look complete to the other.
  void fail(error_code error) {
    if (error_) return;
    error_ = error;
    relay_abort(a_);
    relay_abort(b_);
  }

  A& a_;
  B& b_;
  boost::asio::any_completion_executor executor_;
  Handler<relay_counts> handler_;
  Way a_to_b_, b_to_a_;
  int ways_ = 2;
  error_code error_;
};

}  // namespace detail

// Passes octets between two streams (ours, the kernel's, any with async_read_some and
// async_write_some) both ways, each no faster than the other side takes them. An end of one is
// passed on as an end, while the other way goes on; an error ends both with a reset. Completes,
// when both ways have ended, with what went wrong, if anything: void(error_code, relay_counts).
// The streams must live until then, and share one implicit or explicit strand. Terminal
// cancellation aborts both.
template <class A, class B, class Token = boost::asio::use_awaitable_t<>>
auto relay(A& a, B& b, Token&& token = {}) {
  return boost::asio::async_initiate<Token, void(error_code, relay_counts)>(
      [](auto&& handler, A* first, B* second) {
        std::make_shared<detail::Relay<A, B>>(
            *first, *second,
            detail::Handler<relay_counts>{std::forward<decltype(handler)>(handler)})
            ->start();
      },
      token, &a, &b);
}

}  // namespace estab::net
