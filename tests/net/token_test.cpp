// SPDX-License-Identifier: Apache-2.0
// Every kind of completion token, and what is associated with a handler.
#include "fixture.hpp"

namespace estab::net::test {
namespace {

using TokenTest = NetTest;

TEST_F(TokenTest, futures_carry_results_and_errors) {
  connect();
  char text[4];
  auto written = client.async_write_some(asio::buffer("four"s), asio::use_future);
  auto read = asio::async_read(server, asio::buffer(text), asio::use_future);
  auto failed = socket{left}.async_read_some(asio::buffer(text), asio::use_future);
  run_until([&] { return read.wait_for(0s) == std::future_status::ready; });
  EXPECT_EQ(written.get(), 4u);
  EXPECT_EQ(read.get(), 4u);
  EXPECT_THROW(failed.get(), boost::system::system_error);
}

TEST_F(TokenTest, coroutines_accept_connect_read_and_write) {
  acceptor gate{right, {estab::any, 7}};
  asio::co_spawn(
      io,
      [](acceptor& a) -> asio::awaitable<void> {
        auto peer = co_await a.async_accept(use_awaitable);
        char text[3];
        co_await asio::async_read(peer, asio::buffer(text), use_awaitable);
        co_await asio::async_write(peer, asio::buffer(text), use_awaitable);
      }(gate),
      asio::detached);
  play([](socket& s) -> asio::awaitable<void> {
    co_await s.async_connect(seven(), use_awaitable);
    co_await asio::async_write(s, asio::buffer("abc"s), use_awaitable);
    char text[3];
    co_await asio::async_read(s, asio::buffer(text), use_awaitable);
    EXPECT_EQ(std::string(text, 3), "abc");
  }(client));
}

TEST_F(TokenTest, a_deferred_operation_starts_when_it_is_launched) {
  connect();
  char text[1];
  auto later = server.async_read_some(asio::buffer(text), asio::deferred);
  asio::async_write(client, asio::buffer("d"s), asio::detached);
  run_until([&] { return server.available() == 1; });
  bool done = false;
  std::move(later)([&](error_code e, std::size_t size) { done = !e && size == 1; });
  run_until([&] { return done; });
}

TEST_F(TokenTest, a_handler_runs_on_its_associated_executor_which_has_work_meanwhile) {
  connect();
  asio::io_context other;
  bool done = false;
  char text[1];
  server.async_read_some(asio::buffer(text),
                         asio::bind_executor(other, [&](error_code e, std::size_t) {
                           EXPECT_FALSE(e) << e;
                           EXPECT_TRUE(other.get_executor().running_in_this_thread());
                           done = true;
                         }));
  EXPECT_EQ(other.poll(), 0u);
  EXPECT_FALSE(other.stopped()) << "the operation under way is work of its handler's executor";
  asio::async_write(client, asio::buffer("x"s), asio::detached);
  run_until([&] { return server.available() == 0 && client.status().send_queue == 0; });
  EXPECT_FALSE(done);
  while (!done && other.run_one_for(20s) > 0) {}
  EXPECT_TRUE(done);
}

template <class T>
struct CountingAllocator {
  using value_type = T;
  int* live;
  int* total;
  CountingAllocator(int* l, int* t) : live(l), total(t) {}
  template <class U>
  CountingAllocator(const CountingAllocator<U>& other) : live(other.live), total(other.total) {}
  T* allocate(std::size_t n) {
    ++*live, ++*total;
    return std::allocator<T>{}.allocate(n);
  }
  void deallocate(T* p, std::size_t n) {
    --*live;
    std::allocator<T>{}.deallocate(p, n);
  }
  bool operator==(const CountingAllocator&) const = default;
};

TEST_F(TokenTest,
       a_handlers_associated_allocator_gives_its_memory_and_has_it_back_before_the_call) {
  connect();
  int live = 0, total = 0;
  bool done = false;
  char text[1];
  server.async_read_some(
      asio::buffer(text),
      asio::bind_allocator(CountingAllocator<void>{&live, &total}, [&](error_code, std::size_t) {
        EXPECT_EQ(live, 0);
        done = true;
      }));
  EXPECT_GT(total, 0);
  asio::async_write(client, asio::buffer("x"s), asio::detached);
  run_until([&] { return done; });
  EXPECT_EQ(live, 0);
}

TEST_F(TokenTest, a_handler_may_be_move_only_and_start_the_next_operation) {
  connect();
  auto text = std::make_unique<std::array<char, 2>>();
  std::string heard;
  const auto first = asio::buffer(text->data(), 1), second = asio::buffer(text->data() + 1, 1);
  server.async_read_some(
      first, [&, second, text = std::move(text)](error_code, std::size_t) mutable {
        heard += (*text)[0];
        server.async_read_some(
            second, [&, text = std::move(text)](error_code, std::size_t) { heard += (*text)[1]; });
      });
  asio::async_write(client, asio::buffer("ok"s), asio::detached);
  run_until([&] { return heard.size() == 2; });
  EXPECT_EQ(heard, "ok");
}

}  // namespace
}  // namespace estab::net::test
