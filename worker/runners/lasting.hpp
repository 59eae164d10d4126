#pragma once
#include <memory>
#include <string>

#include "common/base/ids.hpp"

namespace eole::worker {

/// What a task's next attempt on this machine finds again: DIRECTORY/ID.part, and every file whose
/// name begins like that. Held by one attempt at a time.
class LastingFile {
 public:
  /// Null if an earlier attempt still holds it, or if there can be no lock.
  static std::unique_ptr<LastingFile> hold(const std::string& directory, const TaskId& id);
  /// One was left there, by whichever attempt.
  static bool is_left(const std::string& directory, const TaskId& id);
  ~LastingFile();
  LastingFile(const LastingFile&) = delete;
  LastingFile& operator=(const LastingFile&) = delete;

  const std::string& path() const { return path_; }
  /// No attempt of the task will come back here: removes all of it.
  void forget();
  /// The attempt failed, and the next one comes soon, perhaps to another worker, or never: only
  /// the ventilator knows. Kept for a while if there is anything in it, else as forget().
  void leave();

 private:
  LastingFile(std::string path, int lock_fd) : path_(std::move(path)), lock_fd_(lock_fd) {}
  std::string path_;
  int lock_fd_;
};

/// Removes lasting files that probably no attempt will ask for: left minutes ago, or untouched for
/// a day after their worker was killed.
void remove_stale_lasting(const std::string& directory);

/// At the worker's start: whatever was left or is stale, and what single attempts of an earlier
/// process left behind, directories too; what a killed one was at is kept. Only what is named after
/// tasks: `directory` may hold other things.
void remove_leftovers(const std::string& directory);

}  // namespace eole::worker
