#pragma once
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/expected.hpp"
#include "common/base/time.hpp"

namespace eole::cli::ledger {

/// Called again and again while something takes its time; false: it is to end.
using WhileWaiting = std::function<bool()>;

/// One process at a time changes a ledger. The git commands that it starts hold it, too: whoever
/// comes after a process that was killed waits for them.
class Lock {
 public:
  explicit Lock(const std::string& directory);
  ~Lock();
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  /// Throws Failure if `while_waiting` says so.
  void take(const WhileWaiting& while_waiting);
  void leave();
  int fd() const { return fd_; }

 private:
  std::string directory_;
  int fd_;
};

/// One of the four repositories. git runs by its words, never by a shell, with an environment and a
/// configuration of its own, without hooks, and asks nobody anything. While the lock is held.
class Repository {
 public:
  /// Made if it is not there. Throws Failure.
  Repository(const std::string& directory, std::string name, const Lock& lock,
             WhileWaiting while_waiting);
  const std::string& name() const { return name_; }
  const std::string& path() const { return path_; }

  /// Where it is pushed to from now on.
  void set_remote(const std::string& url);
  /// These paths as they lie there, or do not any more, if that is a change. Throws Failure.
  void commit(const std::set<std::string>& paths, const std::string& message);
  /// Something may be here that is not there.
  bool is_to_be_pushed() const { return has_remote_ && is_unpushed_; }
  Expected<void> push();

 private:
  struct Ended {
    int code = 0;
    std::string output;  // All that it printed, cut.
  };
  Ended run(const std::vector<std::string>& words, Duration patience, std::string_view input = {});
  /// What another git holds is waited for.
  Ended run_alone(const std::vector<std::string>& words, std::string_view input = {});
  /// What it printed. Throws Failure unless it ends well.
  std::string need_run(const std::vector<std::string>& words, std::string_view input = {});
  [[noreturn]] void fail(const std::string& what, const Ended& ended) const;
  void drop_stale_locks() const;

  std::string name_;
  std::string path_;
  const Lock& lock_;
  WhileWaiting while_waiting_;
  bool has_remote_ = false;
  bool is_unpushed_ = true;
};

}  // namespace eole::cli::ledger
