#pragma once
#include <string>
#include <string_view>
#include <utility>

namespace eole::worker {

/// The directory for what tasks are about: `path`, or if that is empty it is set to one of this
/// name under the user's state directory; never under /tmp, where others can take a name first.
/// Private, or it throws std::runtime_error. One of a worker without a name of its own goes at the
/// end, for nobody finds it again, or, if that worker was killed, when the next one starts; so does
/// the one that a worker is given whose own is in use by another of its name.
class Scratch {
 public:
  Scratch(std::string& path, std::string name, bool is_named);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

 private:
  std::string path_;
  bool is_kept_;
  int lock_fd_ = -1;  // On it, while its worker lives.
};

/// The directory in it for the git repositories that tasks named; what none has asked for in a
/// month goes.
std::string mirrors_directory(const std::string& scratch);

/// What the name of a spare directory begins with.
constexpr std::string_view kSpare = "spare-";

/// A directory that one attempt after another has while each leaves it empty and as it was: to make
/// and remove one for each costs some file systems more than to run a command. Of one thread.
class SpareDirectory {
 public:
  explicit SpareDirectory(std::string path) : path_(std::move(path)) {}
  ~SpareDirectory();
  SpareDirectory(const SpareDirectory&) = delete;
  SpareDirectory& operator=(const SpareDirectory&) = delete;
  /// A fresh one is at `path`; else errno says why not.
  bool take(const std::string& path);
  /// Nothing is at `path` any more.
  void give(const std::string& path);

 private:
  std::string path_;
  bool is_there_ = false;
};

/// Also what it holds that its owner may not read: Go's module cache is read-only, for one.
void remove_directory(const std::string& path);

}  // namespace eole::worker
