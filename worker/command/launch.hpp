#pragma once
#include <sys/types.h>
#include <unistd.h>

#include <array>

#include "common/base/expected.hpp"
#include "worker/command/command.hpp"

namespace eole::command {

class Pipe {
 public:
  Pipe() = default;
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  bool open();
  int end(std::size_t which) const { return ends_[which]; }
  void close_end(std::size_t which) {
    if (ends_[which] >= 0) ::close(ends_[which]);
    ends_[which] = -1;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

struct Streams {
  int in;
  int out;
  int err;
  int progress;
};

/// The descriptor at which a command finds where it may say how far it is.
constexpr int kProgressDescriptor = 3;
/// In the child of a fork: these become its own, and no signal is held back or ignored.
void take_streams(const Streams& streams);

/// Starts it with these as its standard streams, in a process group of its own. Or which word of
/// it cannot be, and why.
Expected<pid_t> launch(Command& command, const Streams& streams);
/// Of one in a box, which launch cannot tell of, once it is over.
Expected<void> has_begun(const Command& command);

}  // namespace eole::command
