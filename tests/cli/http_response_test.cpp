// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/http_response.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace estab::cli {
namespace {

namespace fs = std::filesystem;
namespace http = boost::beast::http;

TEST(Range, NamesOctetsByFirstAndLastOrHowManyAtTheEnd) {
  EXPECT_EQ(parse_range("bytes=0-99", 1000), (ByteRange{0, 99}));
  EXPECT_EQ(parse_range("bytes=990-", 1000), (ByteRange{990, 999}));
  EXPECT_EQ(parse_range("bytes=990-5000", 1000), (ByteRange{990, 999}));
  EXPECT_EQ(parse_range("bytes=-10", 1000), (ByteRange{990, 999}));
  EXPECT_EQ(parse_range("bytes=-5000", 1000), (ByteRange{0, 999}));
}

TEST(Range, PastTheEndIsUnsatisfiable) {
  for (const char* field : {"bytes=1000-", "bytes=1000-2000", "bytes=-0"})
    EXPECT_EQ(parse_range(field, 1000).error(), RangeError::unsatisfiable) << field;
  EXPECT_EQ(parse_range("bytes=-1", 0).error(), RangeError::unsatisfiable);
}

TEST(Range, WhatIsNotUnderstoodAsksForNone) {
  for (const char* field : {"", "bytes=", "bytes=-", "bytes=9-3", "bytes=0-1,5-6", "lines=0-1",
                            "bytes=a-b", "bytes=99999999999999999999-"})
    EXPECT_EQ(parse_range(field, 1000).error(), RangeError::none_asked) << field;
}

class HttpResponseTest : public testing::Test {
 protected:
  HttpResponseTest() {
    std::string pattern = fs::temp_directory_path() / "estab-http-XXXXXX";
    top_ = ::mkdtemp(pattern.data());
    std::ofstream(top_ / "a.txt") << "0123456789";
    std::ofstream(top_ / "empty");
    fs::create_directory(top_ / "sub");
  }
  ~HttpResponseTest() override { fs::remove_all(top_); }

  [[nodiscard]] HttpResponse answer(http::verb verb, const char* target, const char* range = "") {
    HttpRequest request{verb, target, 11};
    if (*range != 0) request.set(http::field::range, range);
    return respond(request, HttpFiles(top_.string()));
  }
  static bool has(const HttpResponse& response, std::string_view line) {
    return ("\r\n" + response.header).find("\r\n" + std::string(line) + "\r\n") !=
           std::string::npos;
  }

  fs::path top_;
};

TEST_F(HttpResponseTest, GetSendsTheWholeFileAndKeepsTheConnection) {
  const auto response = answer(http::verb::get, "/a.txt");
  EXPECT_TRUE(has(response, "HTTP/1.1 200 OK")) << response.header;
  EXPECT_TRUE(has(response, "Content-Length: 10")) << response.header;
  EXPECT_TRUE(has(response, "Accept-Ranges: bytes")) << response.header;
  EXPECT_TRUE(response.header.ends_with("\r\n\r\n"));
  EXPECT_EQ(response.length, 10u);
  EXPECT_TRUE(response.keep_alive);
}

TEST_F(HttpResponseTest, HeadSendsTheHeaderAlone) {
  const auto response = answer(http::verb::head, "/a.txt");
  EXPECT_TRUE(has(response, "Content-Length: 10")) << response.header;
  EXPECT_EQ(response.length, 0u);
}

TEST_F(HttpResponseTest, AnEmptyFileHasLengthZero) {
  const auto response = answer(http::verb::get, "/empty");
  EXPECT_TRUE(has(response, "Content-Length: 0")) << response.header;
  EXPECT_EQ(response.length, 0u);
}

TEST_F(HttpResponseTest, ARangeSendsPartOfTheFile) {
  const auto response = answer(http::verb::get, "/a.txt", "bytes=2-4");
  EXPECT_TRUE(has(response, "HTTP/1.1 206 Partial Content")) << response.header;
  EXPECT_TRUE(has(response, "Content-Range: bytes 2-4/10")) << response.header;
  EXPECT_EQ(response.offset, 2u);
  EXPECT_EQ(response.length, 3u);
}

TEST_F(HttpResponseTest, ARangePastTheEndIsRefusedWithTheSize) {
  const auto response = answer(http::verb::get, "/a.txt", "bytes=10-");
  EXPECT_TRUE(has(response, "HTTP/1.1 416 Range Not Satisfiable")) << response.header;
  EXPECT_TRUE(has(response, "Content-Range: bytes */10")) << response.header;
}

TEST_F(HttpResponseTest, OtherMethodsAreNotAllowed) {
  const auto response = answer(http::verb::post, "/a.txt");
  EXPECT_TRUE(has(response, "HTTP/1.1 405 Method Not Allowed")) << response.header;
  EXPECT_TRUE(has(response, "Allow: GET, HEAD")) << response.header;
}

TEST_F(HttpResponseTest, ARequestWithTextEndsTheConnectionSinceItIsNotRead) {
  HttpRequest request{http::verb::get, "/a.txt", 11};
  request.set(http::field::content_length, "5");
  EXPECT_FALSE(respond(request, HttpFiles(top_.string())).keep_alive);
}

TEST_F(HttpResponseTest, AFolderRedirectsToItsSlash) {
  const auto response = answer(http::verb::get, "/sub?x");
  EXPECT_TRUE(has(response, "HTTP/1.1 301 Moved Permanently")) << response.header;
  EXPECT_TRUE(has(response, "Location: ./sub/")) << response.header;
}

TEST_F(HttpResponseTest, WhatIsNotThereIsNotFound) {
  const auto response = answer(http::verb::get, "/none");
  EXPECT_TRUE(has(response, "HTTP/1.1 404 Not Found")) << response.header;
  EXPECT_EQ(response.content.text, "There is no such file.\n");
}

TEST_F(HttpResponseTest, Http10ClosesUnlessAskedNotTo) {
  HttpRequest request{http::verb::get, "/a.txt", 10};
  EXPECT_FALSE(respond(request, HttpFiles(top_.string())).keep_alive);
  request.keep_alive(true);
  EXPECT_TRUE(respond(request, HttpFiles(top_.string())).keep_alive);
}

}  // namespace
}  // namespace estab::cli
