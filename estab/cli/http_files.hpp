// SPDX-License-Identifier: Apache-2.0
// The files of one folder, as HTTP names them. Nothing outside the folder is ever opened, by no
// path and by no symbolic link: the kernel sees to it (openat2, RESOLVE_BENEATH).
#pragma once
#include <expected>
#include <map>
#include <memory>
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

// One descriptor for all who are sent the same file at the same time.
using SharedFile = std::shared_ptr<const FileHandle>;

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
  SharedFile file{};       // Or, if there is none:
  std::string text{};
};

// One thread, together with what it finds.
class HttpFiles {
 public:
  // Throws std::system_error if the folder cannot be opened.
  explicit HttpFiles(const std::string& folder);

  // `target` as in the request line: a path with escapes, perhaps a query. A folder gives its
  // index.html, or else a list of what is in it.
  [[nodiscard]] std::expected<Content, ContentError> find(std::string_view target) const;

 private:
  // A file by its device and inode.
  using OpenFiles =
      std::map<std::pair<std::uint64_t, std::uint64_t>, std::weak_ptr<const FileHandle>>;
  [[nodiscard]] SharedFile share(FileHandle file, std::uint64_t device, std::uint64_t inode) const;

  FileHandle folder_;
  std::shared_ptr<OpenFiles> open_ =
      std::make_shared<OpenFiles>();  // What is sent may outlive this.
};

// "/a%20b/?x" is "a b/"; an error where it is no absolute path, has a bad escape, a NUL, or "..".
[[nodiscard]] std::expected<std::string, ContentError> path_of(std::string_view target);
// By the name's ending.
[[nodiscard]] std::string_view content_type(std::string_view name);

}  // namespace estab::cli
