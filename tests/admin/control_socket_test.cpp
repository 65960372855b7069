// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <fstream>
#include <optional>
#include <thread>

#include "estab/admin/client.hpp"
#include "estab/admin/place.hpp"
#include "estab/admin/server.hpp"

namespace estab::admin {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using Stream = asio::local::stream_protocol::socket;

class ControlSocket : public testing::Test {
 protected:
  ControlSocket() {
    std::string pattern = fs::temp_directory_path() / "estab-admin-XXXXXX";
    top_ = ::mkdtemp(pattern.data());
  }
  ~ControlSocket() override { fs::remove_all(top_); }

  [[nodiscard]] fs::path folder() const { return top_ / "estab"; }
  void serve(const std::string& document) {
    server_.emplace(io_.get_executor(), folder(), [document] { return document; });
  }
  // Asks as another program would, while the server's loop runs.
  std::expected<std::string, std::error_code> ask() {
    const auto processes = running(folder());
    if (processes.size() != 1)
      return std::unexpected(std::make_error_code(std::errc::no_such_process));
    std::expected<std::string, std::error_code> answer;
    std::jthread client([&] {
      answer = fetch(processes.front());
      io_.stop();
    });
    io_.restart();
    io_.run();
    return answer;
  }

  fs::path top_;
  asio::io_context io_;
  std::optional<Server> server_;
};

TEST_F(ControlSocket, GivesEachClientTheDocumentAndTheEnd) {
  serve("{}");
  EXPECT_EQ(ask().value(), "{}");
  EXPECT_EQ(ask().value(), "{}");
}

TEST_F(ControlSocket, CarriesADocumentOfManyMegabytes) {
  const std::string large(20'000'000, 'x');
  serve(large);
  EXPECT_TRUE(ask().value() == large);
}

TEST_F(ControlSocket, IsNamedByThePidAndIsForItsUserAlone) {
  serve("{}");
  const auto path = folder() / (std::to_string(::getpid()) + ".sock");
  EXPECT_EQ(server_->path(), path);
  struct stat file{}, place{};
  ASSERT_EQ(::stat(path.c_str(), &file), 0);
  ASSERT_EQ(::stat(folder().c_str(), &place), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600u);
  EXPECT_EQ(place.st_mode & 0777, 0700u);
  EXPECT_EQ(running(folder()).front().pid, ::getpid());
}

TEST_F(ControlSocket, LeavesNoFileBehind) {
  serve("{}");
  server_.reset();
  EXPECT_TRUE(fs::is_empty(folder()));
}

TEST_F(ControlSocket, OfADeadProgramIsClearedAway) {
  ensure_folder(folder());
  const auto stale = folder() / "1.sock";
  { asio::local::stream_protocol::acceptor dead(io_, stale.string()); }
  ASSERT_TRUE(fs::exists(stale));
  EXPECT_TRUE(running(folder()).empty());
  EXPECT_FALSE(fs::exists(stale));
}

TEST_F(ControlSocket, FilesOfOthersAreLeftAlone) {
  ensure_folder(folder());
  std::ofstream(folder() / "notes.sock") << "mine";
  EXPECT_TRUE(running(folder()).empty());
  EXPECT_TRUE(fs::exists(folder() / "notes.sock"));
}

TEST_F(ControlSocket, ServesOnWhileOneClientDoesNotRead) {
  serve(std::string(5'000'000, 'x'));
  Stream silent(io_);
  silent.connect(server_->path().string());
  EXPECT_EQ(ask().value().size(), 5'000'000u);
}

TEST_F(ControlSocket, NoFolderMeansThatNobodyRuns) { EXPECT_TRUE(running(folder()).empty()); }

TEST_F(ControlSocket, AFolderThatOthersMayWriteIsRefused) {
  fs::create_directory(folder());
  fs::permissions(folder(), fs::perms::all);
  EXPECT_THROW(ensure_folder(folder()), std::system_error);
}

TEST_F(ControlSocket, AFileInPlaceOfTheFolderIsRefused) {
  std::ofstream(folder()) << "x";
  EXPECT_THROW(ensure_folder(folder()), std::system_error);
}

}  // namespace
}  // namespace estab::admin
