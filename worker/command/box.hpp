#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

#include "common/base/expected.hpp"
#include "worker/command/filter.hpp"
#include "worker/command/view.hpp"

namespace eole::command {

struct Streams;

/// What the first process of a box tells of it, in memory that it shares with who began it.
struct BoxReport {
  enum class At { kBegun, kBox, kCwd, kProgram };
  At at = At::kBegun;          // Where it failed, so that the command did not begin …
  const char* what = nullptr;  // … at what of the box …
  int error = 0;               // … and why.
  bool has_ended = false;
  int status = 0;                  // Then: as wait tells it.
  bool is_network_unused = false;  // By all that ever was in it, and nobody is left.
};

/// What a command of a box finds in it, beside the system.
struct BoxContents {
  const View* view = nullptr;
  std::string directory;           // That it may write to …
  std::string name;                // … and the name by which it finds it.
  std::string beside;              // Where `name` and `shown` are, if the box has no such place.
  std::vector<std::string> shown;  // Of the machine, read-only; what is not there is left out.
  const std::vector<sock_filter>* filter = nullptr;
  int network = -1;             // Namespace of it; none: the machine's.
  int cgroup = -1;              // That it is born in, if there is one.
  BoxReport* report = nullptr;  // Shared memory.
};

/// Starts a command in a box of its own: namespaces, of which the first process is a copy of this
/// one without its rights, that waits for the command and ends with it, and all others with that.
Expected<pid_t> launch_in_box(const BoxContents& contents, char* const* argv, const char* cwd,
                              const Streams& streams);

}  // namespace eole::command
