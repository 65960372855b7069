// SPDX-License-Identifier: Apache-2.0
// The files of one folder, as HTTP names them. Nothing outside the folder is ever opened, by no
// path and by no symbolic link: the kernel sees to it (openat2, RESOLVE_BENEATH).
#pragma once
#include <expected>
#include <string>
#include <string_view>

namespace estab::cli {

// An open file's descriptor; closed at the end.
class FileHandle {
 public:
  explicit FileHandle(int descriptor = -1) : descriptor_(descriptor) {}
  FileHandle(FileHandle&& other) noexcept;
  FileHandle& operator=(FileHandle&& other) noexcept;
  ~FileHandle();
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_;
};

enum class ContentError : std::uint8_t {
  malformed,  // The target is no path.
  not_found,
  forbidden,  // No permission, or it leads out of the folder.
  moved,      // It is a folder; its name ends with a slash.
  busy,       // No descriptor left.
};

struct Content {
  std::string_view type;   // "text/html; charset=utf-8".
  std::uint64_t size = 0;  // Octets.
  FileHandle file{};       // Or, if there is none:
  std::string text{};
};

class HttpFiles {
 public:
  // Throws std::system_error if the folder cannot be opened.
  explicit HttpFiles(const std::string& folder);

  // `target` as in the request line: a path with escapes, perhaps a query. A folder gives its
  // index.html, or else a list of what is in it.
  [[nodiscard]] std::expected<Content, ContentError> find(std::string_view target) const;

 private:
  FileHandle folder_;
};

// "/a%20b/?x" is "a b/"; an error where it is no absolute path, has a bad escape, a NUL, or "..".
[[nodiscard]] std::expected<std::string, ContentError> path_of(std::string_view target);
// By the name's ending.
[[nodiscard]] std::string_view content_type(std::string_view name);

}  // namespace estab::cli
