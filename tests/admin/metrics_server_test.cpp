// SPDX-License-Identifier: Apache-2.0
#include "estab/admin/metrics_server.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <optional>
#include <thread>

#include "exposition.hpp"

namespace estab::admin {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr Duration no_end = 24h;
const Endpoint here{Address::v4(127, 0, 0, 1), Port{}};

class MetricsServerTest : public testing::Test {
 protected:
  void serve(Duration patience = no_end, const Endpoint& at = here) {
    server_.emplace(
        io_.get_executor(), at,
        [](MetricsFormat format) {
          return std::string(format == MetricsFormat::open_metrics ? "open\n" : "old\n");
        },
        patience);
  }
  tcp::socket connect(const char* address = "127.0.0.1") {
    tcp::socket socket(other_);
    socket.connect({asio::ip::make_address(address), number(server_->port())});
    return socket;
  }
  // All that the server says to it until it ends the connection, while its loop runs.
  std::string ask(tcp::socket socket, const std::string& request) {
    std::string answer;
    std::jthread client([&] {
      error_code error;
      asio::write(socket, asio::buffer(request), error);
      asio::read(socket, asio::dynamic_buffer(answer), error);
      if (error != asio::error::eof) answer += "[" + error.message() + "]";
      io_.stop();
    });
    io_.restart();
    io_.run();
    return answer;
  }
  std::string ask(const std::string& request) { return ask(connect(), request); }

  asio::io_context io_, other_;
  std::optional<MetricsServer> server_;
};

TEST_F(MetricsServerTest, GivesOpenMetricsAndEndsTheConnection) {
  serve();
  const auto answer = ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_PRED2(starts_with, answer, "HTTP/1.1 200 OK\r\n");
  EXPECT_PRED2(contains, answer,
               "Content-Type: application/openmetrics-text; version=1.0.0; "
               "charset=utf-8\r\n");
  EXPECT_PRED2(contains, answer, "Content-Length: 5\r\n");
  EXPECT_PRED2(contains, answer, "Connection: close\r\n");
  EXPECT_PRED2(ends_with, answer, "\r\n\r\nopen\n");
}

TEST_F(MetricsServerTest, GivesTheOlderFormatToWhoAsksForIt) {
  serve();
  const auto answer = ask("GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: text/plain\r\n\r\n");
  EXPECT_PRED2(contains, answer, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
  EXPECT_PRED2(ends_with, answer, "\r\n\r\nold\n");
}

TEST_F(MetricsServerTest, ListensOnIPv6) {
  serve(no_end, {*Address::parse("::1"), Port{}});
  EXPECT_PRED2(ends_with, ask(connect("::1"), "GET /metrics HTTP/1.1\r\n\r\n"), "open\n");
}

TEST_F(MetricsServerTest, AnswersHEADWithoutTheText) {
  serve();
  const auto answer = ask("HEAD /metrics HTTP/1.1\r\n\r\n");
  EXPECT_PRED2(contains, answer, "Content-Length: 5\r\n");
  EXPECT_PRED2(ends_with, answer, "\r\n\r\n");
}

TEST_F(MetricsServerTest, TakesAQueryAndAWholeURL) {
  serve();
  EXPECT_PRED2(ends_with, ask("GET /metrics?name=x HTTP/1.1\r\n\r\n"), "open\n");
  EXPECT_PRED2(ends_with, ask("GET http://[::1]:9077/metrics HTTP/1.1\r\n\r\n"), "open\n");
}

TEST_F(MetricsServerTest, HasNothingElsewhere) {
  serve();
  for (const std::string target : {"/", "/metrics/", "/metricsx", "http://x", "*"}) {
    const auto answer = ask("GET " + target + " HTTP/1.1\r\n\r\n");
    EXPECT_PRED2(starts_with, answer, "HTTP/1.1 404 ") << target;
    EXPECT_PRED2(ends_with, answer, "The metrics are at /metrics.\n");
  }
}

TEST_F(MetricsServerTest, RefusesOtherMethodsAndNamesItsOwn) {
  serve();
  const auto answer = ask("DELETE /metrics HTTP/1.1\r\n\r\n");
  EXPECT_PRED2(starts_with, answer, "HTTP/1.1 405 ");
  EXPECT_PRED2(contains, answer, "Allow: GET, HEAD\r\n");
}

TEST_F(MetricsServerTest, ABodyThatIsNotReadDoesNotResetTheAnswer) {
  serve();
  const std::string body(1 << 20, 'x');
  const auto answer =
      ask("POST /metrics HTTP/1.1\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
          body);
  EXPECT_PRED2(starts_with, answer, "HTTP/1.1 405 ");
  EXPECT_PRED2(ends_with, answer, "served.\n");
}

TEST_F(MetricsServerTest, RefusesWhatIsNoRequest) {
  serve();
  EXPECT_PRED2(starts_with, ask("nonsense\r\n\r\n"), "HTTP/1.1 400 ");
  EXPECT_PRED2(starts_with,
               ask("GET /metrics HTTP/1.1\r\nx: " + std::string(20000, 'x') + "\r\n\r\n"),
               "HTTP/1.1 431 ");
}

TEST_F(MetricsServerTest, LetsGoOfWhoSaysNothing) {
  serve(50ms);
  EXPECT_EQ(ask(""), "");
  EXPECT_EQ(ask("GET /metr"), "");
  // Nor does it wait for one who has his answer and stays.
  EXPECT_PRED2(ends_with, ask("GET /metrics HTTP/1.1\r\n\r\n"), "open\n");
}

TEST_F(MetricsServerTest, AnswersWhileManyAreSilent) {
  serve();
  std::vector<tcp::socket> silent;
  for (int i = 0; i < 100; ++i) silent.push_back(connect());
  EXPECT_PRED2(ends_with, ask("GET /metrics HTTP/1.1\r\n\r\n"), "open\n");
  // The oldest went, the youngest are here still.
  EXPECT_EQ(ask(std::move(silent.front()), ""), "");
  EXPECT_PRED2(ends_with, ask(std::move(silent.back()), "GET /metrics HTTP/1.1\r\n\r\n"), "open\n");
}

TEST_F(MetricsServerTest, MayEndWhileOthersWait) {
  serve();
  auto waiting = connect();
  EXPECT_PRED2(ends_with, ask("GET /metrics HTTP/1.1\r\n\r\n"), "open\n");
  server_.reset();
  io_.restart();
  io_.poll();
  error_code error;
  char octet = 0;
  EXPECT_EQ(waiting.read_some(asio::buffer(&octet, 1), error), 0u);
  EXPECT_TRUE(error);
}

TEST_F(MetricsServerTest, APortThatIsTakenIsAnError) {
  serve();
  const Endpoint taken{here.address, server_->port()};
  try {
    const MetricsServer second(io_.get_executor(), taken, {});
    FAIL() << "two listen";
  } catch (const std::system_error& error) { EXPECT_EQ(error.code(), std::errc::address_in_use); }
}

TEST(WantedFormat, IsTheOneThatIsWantedMore) {
  using enum MetricsFormat;
  const std::pair<const char*, MetricsFormat> cases[] = {
      {"", open_metrics},
      {"*/*", open_metrics},
      {"application/json", open_metrics},
      {"text/plain", prometheus},
      {"text/plain;version=0.0.4;q=0.3, */*;q=0.1", prometheus},
      {"TEXT/*", prometheus},
      {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", open_metrics},
      {"application/openmetrics-text;version=1.0.0,"
       "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
       open_metrics},
      {"text/plain , application/openmetrics-text ; q=0.5", prometheus},
      {"application/openmetrics-text;q=0, */*", prometheus},
      {"text/plain;q=0.2, application/*;q=0.4", open_metrics},
      {",;q=,text/plain;q=x", prometheus},
  };
  for (const auto& [accept, format] : cases) EXPECT_EQ(wanted_format(accept), format) << accept;
}

}  // namespace
}  // namespace estab::admin
