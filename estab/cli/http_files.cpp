// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/http_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

namespace estab::cli {
namespace {

using Unexpected = std::unexpected<ContentError>;

// A pipe would block and a device do worse, so opening waits for nothing, and only regular files
// and folders are taken.
std::expected<FileHandle, ContentError> open_beneath(int folder, const std::string& path) {
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const auto opened = ::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how);
  if (opened >= 0) return FileHandle(int(opened));
  switch (errno) {
    case EACCES:
    case EPERM:
    case EXDEV:  return Unexpected(ContentError::forbidden);
    case EMFILE:
    case ENFILE: return Unexpected(ContentError::busy);
    default:     return Unexpected(ContentError::not_found);
  }
}

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default:  out += c;
    }
  }
  return out;
}

std::string escape_url(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    if (plain) out += c;
    else (out += '%') += {digits[std::uint8_t(c) >> 4], digits[std::uint8_t(c) & 15]};
  }
  return out;
}

// The names in a folder, sorted; those of folders end with a slash.
std::vector<std::string> names_in(int folder) {
  struct Close {
    void operator()(DIR* d) const { ::closedir(d); }
  };
  const std::unique_ptr<DIR, Close> stream(::fdopendir(::fcntl(folder, F_DUPFD_CLOEXEC, 0)));
  std::vector<std::string> names;
  while (const dirent* entry = stream ? ::readdir(stream.get()) : nullptr) {
    std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (entry->d_type == DT_DIR) name += '/';
    names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  return names;
}

Content list(int folder, const std::string& path) {
  const auto title = escape_html("/" + path);
  std::string page = "<!DOCTYPE html>\n<meta charset=\"utf-8\">\n<title>" + title +
                     "</title>\n<h1>" + title + "</h1>\n<ul>\n";
  if (!path.empty()) page += "<li><a href=\"../\">../</a>\n";
  for (const auto& name : names_in(folder)) {
    const bool is_folder = name.ends_with('/');
    const auto link = escape_url(std::string_view(name).substr(0, name.size() - is_folder));
    page += "<li><a href=\"" + link + (is_folder ? "/" : "") + "\">" + escape_html(name) + "</a>\n";
  }
  page += "</ul>\n";
  const auto size = page.size();
  return {.type = "text/html; charset=utf-8", .size = size, .text = std::move(page)};
}

}  // namespace

FileHandle::FileHandle(FileHandle&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileHandle& FileHandle::operator=(FileHandle&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileHandle::~FileHandle() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

HttpFiles::HttpFiles(const std::string& folder)
    : folder_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (folder_.get() < 0)
    throw std::system_error(errno, std::generic_category(), "cannot serve the folder " + folder);
}

std::expected<Content, ContentError> HttpFiles::find(std::string_view target) const {
  const auto path = path_of(target);
  if (!path) return Unexpected(path.error());
  auto file = open_beneath(folder_.get(), path->empty() ? "." : *path);
  if (!file) return Unexpected(file.error());
  struct stat what{};
  if (::fstat(file->get(), &what) != 0) return Unexpected(ContentError::not_found);
  if (S_ISDIR(what.st_mode)) {
    if (!path->empty() && !path->ends_with('/')) return Unexpected(ContentError::moved);
    auto index = open_beneath(folder_.get(), *path + "index.html");
    const bool serve_index = index && ::fstat(index->get(), &what) == 0 && S_ISREG(what.st_mode);
    if (!serve_index) return list(file->get(), *path);
    return Content{content_type(".html"), std::uint64_t(what.st_size),
                   share(std::move(*index), what.st_dev, what.st_ino)};
  }
  if (!S_ISREG(what.st_mode)) return Unexpected(ContentError::forbidden);
  return Content{content_type(*path), std::uint64_t(what.st_size),
                 share(std::move(*file), what.st_dev, what.st_ino)};
}

// Thousands may be sent one file at the same time, and descriptors are few.
SharedFile HttpFiles::share(FileHandle file, std::uint64_t device, std::uint64_t inode) const {
  const std::pair key{device, inode};
  auto& known = (*open_)[key];
  if (auto shared = known.lock()) return shared;
  const auto forget = [open = open_, key](const FileHandle* last) {
    delete last;
    // A newer one may stand there, if this one went while the newer was opened.
    if (const auto at = open->find(key); at != open->end() && at->second.expired()) open->erase(at);
  };
  SharedFile shared(new FileHandle(std::move(file)), forget);
  known = shared;
  return shared;
}

std::expected<std::string, ContentError> path_of(std::string_view target) {
  target = target.substr(0, target.find_first_of("?#"));
  if (!target.starts_with('/')) return Unexpected(ContentError::malformed);
  target.remove_prefix(1);
  std::string path;
  for (std::size_t i = 0; i < target.size(); ++i) {
    std::uint8_t octet = std::uint8_t(target[i]);
    if (octet == '%') {
      const auto digits = target.substr(i + 1, 2);
      const auto [end, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), octet, 16);
      if (error != std::errc{} || end != digits.data() + 2)
        return Unexpected(ContentError::malformed);
      i += 2;
    }
    if (octet == 0) return Unexpected(ContentError::malformed);
    path += char(octet);
  }
  // As a component; the kernel would refuse it only where it leads out.
  if (("/" + path + "/").find("/../") != std::string::npos)
    return Unexpected(ContentError::forbidden);
  if (path.starts_with('/')) return Unexpected(ContentError::not_found);
  return path;
}

std::string_view content_type(std::string_view name) {
  static constexpr std::pair<std::string_view, std::string_view> types[] = {
      {".html", "text/html; charset=utf-8"},
      {".htm", "text/html; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".txt", "text/plain; charset=utf-8"},
      {".md", "text/markdown; charset=utf-8"},
      {".json", "application/json"},
      {".xml", "application/xml"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".jpg", "image/jpeg"},
      {".jpeg", "image/jpeg"},
      {".gif", "image/gif"},
      {".webp", "image/webp"},
      {".ico", "image/vnd.microsoft.icon"},
      {".pdf", "application/pdf"},
      {".wasm", "application/wasm"},
      {".gz", "application/gzip"},
      {".zip", "application/zip"},
      {".mp4", "video/mp4"},
  };
  for (const auto& [ending, type] : types)
    if (name.ends_with(ending)) return type;
  return "application/octet-stream";
}

}  // namespace estab::cli
