#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace eole::storage {

/// A write, sync or reservation that the system refused, or damage found on reading. Final: the
/// process ends, and nothing that was not durable before is acknowledged (a second fsync would
/// answer OK although the data is gone).
class StorageFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Damage, or a directory that is not what it has to be: trying again is in vain.
class Damage : public StorageFailure {
 public:
  using StorageFailure::StorageFailure;
};

/// A file that is not there, or not any longer.
class Missing : public StorageFailure {
 public:
  using StorageFailure::StorageFailure;
};

/// One open file. Every function throws StorageFailure when the system says no.
class File {
 public:
  virtual ~File() = default;
  virtual void write(std::uint64_t offset, std::string_view bytes) = 0;
  /// Up to `size` bytes from `offset`; fewer at the end of the file.
  virtual std::string read(std::uint64_t offset, std::size_t size) const = 0;
  /// fdatasync: returns only when what was written before is durable.
  virtual void sync() = 0;
  /// Says that it was last changed at this Unix time, in milliseconds.
  virtual void stamp(std::int64_t unix_ms) = 0;
  /// fsync: as sync(), and its times are durable, too.
  virtual void sync_all() = 0;
  /// Both.
  void date(std::int64_t unix_ms) {
    stamp(unix_ms);
    sync_all();
  }
  /// Begins to write what was changed there, so that a sync later waits less.
  virtual void write_behind(std::uint64_t offset, std::uint64_t bytes) = 0;
  /// Makes the file `size` bytes long and sets the space aside, so that a full disk shows here.
  virtual void reserve(std::uint64_t size) = 0;
  virtual void truncate(std::uint64_t size) = 0;
  virtual std::uint64_t size() const = 0;
};

/// What a directory knows of a file.
struct FileStatus {
  std::uint64_t size = 0;
  std::int64_t changed_unix_ms = 0;
  bool is_regular = true;  // No link, directory or device.
};

/// Goes through the names in a directory.
class Walk {
 public:
  virtual ~Walk() = default;
  /// The next names, at most so many; none: that was all. Names that come or go meanwhile may be
  /// among them or not.
  virtual std::vector<std::string> next(std::size_t most) = 0;
};

/// One directory that belongs to this process alone, and the files in it. Who opens, renames or
/// removes what is not there gets a Missing.
class Directory {
 public:
  virtual ~Directory() = default;
  virtual std::unique_ptr<Walk> walk() const = 0;
  std::vector<std::string> list() const { return walk()->next(SIZE_MAX); }
  /// May be asked from any thread.
  virtual bool has(const std::string& name) const = 0;
  /// Nothing if there is no such file. May be asked from any thread.
  virtual std::optional<FileStatus> status(const std::string& name) const = 0;
  virtual std::unique_ptr<File> open(const std::string& name) = 0;
  /// Empty, also if there was one of this name.
  virtual std::unique_ptr<File> create(const std::string& name) = 0;
  virtual void rename(const std::string& from, const std::string& to) = 0;
  /// It must be there.
  virtual void remove(const std::string& name) = 0;
  /// Makes creations, renames and removals durable.
  virtual void sync() = 0;
  /// Bytes that this process may still use on the disk.
  virtual std::uint64_t free_bytes() const = 0;
};

}  // namespace eole::storage
