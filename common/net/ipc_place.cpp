#include "common/net/ipc_place.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/base/text.hpp"
#include "common/net/socket.hpp"

namespace eole::net {

bool is_listened_at(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return false;  // The bind will say so.
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const bool is_nobody =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
      (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR);
  ::close(fd);
  return !is_nobody;  // One that is stopped, or another user's, listens, too.
}

IpcPlace::IpcPlace(const std::string& path)
    : directory_(::open(std::filesystem::path(path).parent_path().c_str(),
                        O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (directory_ >= 0) ::flock(directory_, LOCK_EX);
  if (!is_listened_at(path)) return;
  ::close(directory_);
  throw CannotBind(text("cannot bind ipc://", path, ": another process listens there already"));
}

IpcPlace::~IpcPlace() { ::close(directory_); }

}  // namespace eole::net
