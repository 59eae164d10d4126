#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

#include "common/base/expected.hpp"

namespace eole::command {

/// Where a box has memory of its own for files, of kMemoryFilesBytes each.
constexpr const char* kOwnPlaces[] = {"/tmp", "/home", "/dev/shm"};
constexpr std::uint64_t kMemoryFilesBytes = 512ULL << 20;

bool is_below(const std::string& path, std::string_view directory);
/// Whether some of it is "..".
bool goes_up(const std::string& path);
/// Whether a box makes this place anew, so that something can be laid there.
bool is_own_place(const std::string& path);
/// Whether what is laid there hides some of the system that a box shows.
bool covers_system(const std::string& path);

/// What every box sees of this machine, as namespaces that are prepared once: to be entered, and
/// copied, by each. It holds the system's programs, read-only, and nothing of any command.
class View {
 public:
  View() = default;
  ~View();
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  /// Anew if what it shows was replaced, or a box needs another of `places` to lay something at.
  /// `hidden`: directories and files that no box shows.
  Expected<void> prepare(const std::vector<std::string>& places,
                         const std::vector<std::string>& hidden);
  /// Namespaces: of the user, who has all rights over the others; of this machine's files; of those
  /// that a box begins with.
  int user() const { return user_; }
  int machine() const { return machine_; }
  int box() const { return box_; }

  /// A network of its own, with nothing but a loopback. The same again until it is given up.
  Expected<int> network();
  void give_up_network();

 private:
  void close();
  int user_ = -1;
  int machine_ = -1;
  int box_ = -1;
  int network_ = -1;
  std::vector<std::string> places_;
  std::vector<std::pair<dev_t, ino_t>> there_;  // What was there when it was made.
};

}  // namespace eole::command
