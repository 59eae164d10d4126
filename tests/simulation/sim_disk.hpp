#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "common/storage/disk.hpp"

namespace eole::simulation {

/// What a power cut makes of what was not synced.
enum class Damage {
  kMixed,      // Each write kept, lost or torn, at random.
  kDropped,    // All of it lost.
  kTorn,       // The last write torn at 512 bytes, those before it kept.
  kReordered,  // Some writes lost although later ones are kept.
  kZeroed,     // Sizes kept, the bytes are zeros.
  kStale,      // Sizes kept, the bytes are another file's old ones.
};

/// A disk in memory that fails like a real one: what was not synced may be lost, kept or torn at
/// a power cut; a failed sync drops its pages although they can still be read.
class SimDisk {
 public:
  explicit SimDisk(std::uint64_t seed) : random_(seed) {}

  /// A view for one process. Opening it again is what a restart does.
  std::unique_ptr<storage::Directory> open();

  /// The power fails: unsynced writes are kept, lost or torn at 512 bytes; directory changes are
  /// kept up to some point.
  void cut_power(Damage damage = Damage::kMixed);
  /// The n-th operation from now on throws, and (if `for_ever`) each after it.
  void fail_operation(std::uint64_t n, bool for_ever = false);
  void fail_next_sync() { fail_sync_ = true; }
  /// Flips one bit of what is on the disk; false if the file is not there or shorter.
  bool flip_bit(const std::string& name, std::uint64_t offset);
  bool has_flipped_bits() const { return !flipped_.empty(); }
  /// What a person does after a refusal: puts a good copy back.
  void repair();
  void set_free_bytes(std::uint64_t bytes) { free_bytes_ = bytes; }

  /// By which clock files are changed; without one it is always 1970.
  void set_clock(std::function<std::int64_t()> unix_ms) { unix_ms_ = std::move(unix_ms); }

  /// Cuts a file short.
  void truncate(const std::string& name, std::uint64_t size);
  const std::string& content(const std::string& name) const { return names_.at(name)->now; }
  std::uint64_t operations() const { return operations_; }
  std::vector<std::string> names() const;
  std::uint64_t size_of(const std::string& name) const { return names_.at(name)->now.size(); }

 private:
  friend class SimFile;
  friend class SimDirectory;
  struct Change {  // Of a file: bytes at an offset, or (is_resize) a new size.
    std::uint64_t offset = 0;
    std::string bytes;
    bool is_resize = false;
  };
  struct Inode {
    std::string now;
    std::string durable;
    std::vector<Change> unsynced;
    std::int64_t changed_unix_ms = 0;
  };
  using Names = std::map<std::string, std::shared_ptr<Inode>>;
  struct Flip {
    std::shared_ptr<Inode> inode;
    std::uint64_t offset = 0;
  };
  static void flip(const Flip& flip);
  void damage_change(Inode& inode, const Change& change, bool is_last, Damage damage);
  static void apply(std::string& content, const Change& change);
  void count_operation();
  void change_names(Names next);
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  std::mt19937_64 random_;
  Names names_;
  Names durable_names_;
  std::vector<Names> unsynced_names_;
  std::vector<Flip> flipped_;
  std::uint64_t operations_ = 0;
  std::uint64_t fail_at_ = UINT64_MAX;
  bool fails_for_ever_ = false;
  bool fail_sync_ = false;
  std::uint64_t free_bytes_ = 1ULL << 40;
  std::function<std::int64_t()> unix_ms_ = [] { return std::int64_t{0}; };
};

}  // namespace eole::simulation
