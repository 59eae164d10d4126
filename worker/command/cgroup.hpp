#pragma once
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/expected.hpp"
#include "common/process/descriptor.hpp"

namespace eole::command {

/// A group of processes, as the kernel keeps it (cgroup v2): a directory of its own file system.
/// Whoever is born in it stays there, and it ends with this.
class Cgroup {
 public:
  struct Limits {  // Zero: none.
    std::uint64_t processes_max = 0;
    std::uint64_t memory_bytes_max = 0;
  };
  /// Makes the directory. A limit whose controller it does not have is left out.
  static Expected<Cgroup> make(std::string directory, const Limits& limits);
  /// Of a directory that is there.
  Cgroup(std::string directory, const Limits& limits);
  ~Cgroup();
  Cgroup(Cgroup&&) = default;

  /// Where clone3 puts a child into it.
  int descriptor() const { return descriptor_.get(); }
  /// All that is in it, if the kernel can do that at once (5.14).
  void kill() const;
  /// The most that all of it had together, caches and files in memory included; nothing: it is not
  /// counted.
  std::optional<std::uint64_t> memory_bytes() const;
  /// Which limit it ran into; empty: none.
  std::string complaint() const;

 private:
  std::string directory_;
  process::Descriptor descriptor_{-1};
  Limits limits_;
};

/// Kills what is in a group, waits until that is gone, a second at most, and removes the directory.
void remove_cgroup(const std::string& directory);
/// False if there is no such file, or it does not take that: errno says why.
bool write_setting(const std::string& path, const std::string& value);
/// Empty if there is no such file.
std::string setting(const std::string& path);

/// As fork, with further flags of clone: the child begins in that group; -1: in this process's.
pid_t fork_into(int cgroup, std::uint64_t flags);

}  // namespace eole::command
