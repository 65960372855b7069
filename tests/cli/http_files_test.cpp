// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/http_files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace estab::cli {
namespace {

namespace fs = std::filesystem;

class HttpFilesTest : public testing::Test {
 protected:
  HttpFilesTest() {
    std::string pattern = fs::temp_directory_path() / "estab-http-XXXXXX";
    top_ = ::mkdtemp(pattern.data());
    write(top_ / "secret", "s");
    fs::create_directory(top_ / "www");
    fs::create_directory(top_ / "www/sub dir");
    write(top_ / "www/a.txt", "hello");
    write(top_ / "www/sub dir/<b>.html", "b");
  }
  ~HttpFilesTest() override { fs::remove_all(top_); }

  static void write(const fs::path& path, std::string_view text) { std::ofstream(path) << text; }
  [[nodiscard]] auto find(std::string_view target) const {
    return HttpFiles((top_ / "www").string()).find(target);
  }
  [[nodiscard]] ContentError error(std::string_view target) const { return find(target).error(); }

  fs::path top_;
};

TEST_F(HttpFilesTest, ThoseWhoAreSentOneFileShareItsDescriptor) {
  const HttpFiles files((top_ / "www").string());
  auto one = files.find("/a.txt"), two = files.find("/a.txt?again");
  ASSERT_TRUE(one && two);
  EXPECT_EQ(one->file, two->file);
  const int shared = one->file->get();
  one->file.reset();
  char text[5];
  EXPECT_EQ(::pread(shared, text, 5, 0), 5) << "while one of them is left";
  two->file.reset();
  EXPECT_EQ(::pread(shared, text, 5, 0), -1) << "a descriptor stays";
}

TEST_F(HttpFilesTest, AFileThatReplacesAnotherIsNotTakenForIt) {
  const HttpFiles files((top_ / "www").string());
  const auto before = files.find("/a.txt");
  write(top_ / "www/new", "newer");
  fs::rename(top_ / "www/new", top_ / "www/a.txt");
  const auto after = files.find("/a.txt");
  ASSERT_TRUE(before && after);
  EXPECT_NE(before->file, after->file);
  char text[5];
  EXPECT_EQ(::pread(after->file->get(), text, 5, 0), 5);
  EXPECT_EQ(std::string_view(text, 5), "newer");
}

TEST_F(HttpFilesTest, AFileIsFoundByItsPath) {
  const auto content = find("/a.txt?version=1");
  ASSERT_TRUE(content);
  EXPECT_EQ(content->size, 5u);
  EXPECT_EQ(content->type, "text/plain; charset=utf-8");
  char text[6] = {};
  EXPECT_EQ(::read(content->file->get(), text, 5), 5);
  EXPECT_STREQ(text, "hello");
}

TEST_F(HttpFilesTest, AFolderIsListedWithNamesEscaped) {
  const auto content = find("/sub%20dir/");
  ASSERT_TRUE(content);
  EXPECT_NE(content->text.find("<a href=\"%3Cb%3E.html\">&lt;b&gt;.html</a>"), std::string::npos);
  EXPECT_EQ(content->size, content->text.size());
}

TEST_F(HttpFilesTest, AFoldersIndexIsServedInItsPlace) {
  write(top_ / "www/index.html", "<p>index");
  const auto content = find("/");
  ASSERT_TRUE(content);
  EXPECT_EQ(content->size, 8u);
  EXPECT_EQ(content->type, "text/html; charset=utf-8");
}

TEST_F(HttpFilesTest, AFolderWithoutItsSlashHasMoved) {
  EXPECT_EQ(error("/sub%20dir"), ContentError::moved);
}

TEST_F(HttpFilesTest, NothingOutsideTheFolderIsOpened) {
  for (const char* target :
       {"/../secret", "/..", "/sub%20dir/../../secret", "/%2e%2e/secret", "/%2e%2e%2fsecret"})
    EXPECT_EQ(error(target), ContentError::forbidden) << target;
  EXPECT_EQ(error("//etc/passwd"), ContentError::not_found);
}

TEST_F(HttpFilesTest, ASymbolicLinkThatLeadsOutIsForbiddenOneThatStaysIsFollowed) {
  fs::create_symlink("../secret", top_ / "www/out");
  fs::create_symlink(top_ / "secret", top_ / "www/absolute");
  fs::create_symlink("a.txt", top_ / "www/in");
  EXPECT_EQ(error("/out"), ContentError::forbidden);
  EXPECT_EQ(error("/absolute"), ContentError::forbidden);
  EXPECT_TRUE(find("/in"));
}

TEST_F(HttpFilesTest, APipeIsForbiddenAndDoesNotBlock) {
  ASSERT_EQ(::mkfifo((top_ / "www/pipe").c_str(), 0600), 0);
  EXPECT_EQ(error("/pipe"), ContentError::forbidden);
}

TEST_F(HttpFilesTest, WhatIsNoPathIsMalformed) {
  for (const char* target : {"", "*", "a.txt", "http://x/", "/%", "/%4", "/%zz", "/a%00.txt"})
    EXPECT_EQ(error(target), ContentError::malformed) << target;
}

TEST_F(HttpFilesTest, WhatIsNotThereIsNotFound) {
  EXPECT_EQ(error("/none"), ContentError::not_found);
  EXPECT_EQ(error("/a.txt/none"), ContentError::not_found);
}

TEST_F(HttpFilesTest, AFolderThatCannotBeOpenedIsAnError) {
  EXPECT_THROW(HttpFiles((top_ / "none").string()), std::system_error);
}

TEST(ContentType, IsToldByTheNamesEnding) {
  EXPECT_EQ(content_type("x.svg"), "image/svg+xml");
  EXPECT_EQ(content_type("x.tar.gz"), "application/gzip");
  EXPECT_EQ(content_type("README"), "application/octet-stream");
}

}  // namespace
}  // namespace estab::cli
