#include "common/process/output.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "common/base/text.hpp"

namespace eole::process {

void hold_standard_streams() {
  for (const int fd : {0, 1, 2}) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    // The wrong way round for standard output: what is written to it fails.
    if (const int made = ::open("/dev/null", fd == 2 ? O_WRONLY : O_RDONLY); made > fd) {
      ::dup2(made, fd);
      ::close(made);
    }
  }
}

std::optional<std::string> lost_output() {
  errno = 0;
  const bool is_lost = std::fflush(stdout) != 0 || std::ferror(stdout) != 0;
  if (!is_lost) return std::nullopt;
  return text("standard output: cannot be written", errno == 0 ? "" : ": ",
              errno == 0 ? "" : std::strerror(errno));
}

bool is_output_unread() {
  pollfd output{1, 0, 0};
  return ::poll(&output, 1, 0) > 0 && (output.revents & (POLLERR | POLLHUP)) != 0;
}

}  // namespace eole::process
