#include "common/base/own_files.hpp"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>

namespace eole {

namespace {

// The limit is the process's, so its state is, too.
std::mutex g_mutex;
constexpr rlim_t kKeptShare = 4;  // Of a small limit the sockets themselves need most.
rlim_t g_all = 0;                 // Zero: nothing is kept.
int g_users = 0;

void allow(rlim_t files) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = files;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

std::uint64_t reserve_own_files() {
  const std::scoped_lock lock(g_mutex);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  g_all = limit.rlim_max;
  allow(g_all - g_all / kKeptShare);
  return g_all;
}

OwnFiles::OwnFiles() {
  const std::scoped_lock lock(g_mutex);
  if (g_all > 0 && g_users++ == 0) allow(g_all);
}

OwnFiles::~OwnFiles() {
  const std::scoped_lock lock(g_mutex);
  if (g_all > 0 && --g_users == 0) allow(g_all - g_all / kKeptShare);
}

}  // namespace eole

// In the places of the C library's, for libzmq: without a descriptor for a connection its ipc
// listener ends the process (4.3, ipc_listener.cpp), and its TCP listener asks again without end.
// So one that is kept takes the connection, and closes it: its peer comes again later.
extern "C" int accept4(int socket, sockaddr* address, socklen_t* size, int flags) {
  const auto take = [&] {
    return static_cast<int>(::syscall(SYS_accept4, socket, address, size, flags));
  };
  int taken = take();
  if (taken >= 0 || errno != EMFILE) return taken;
  {
    const eole::OwnFiles own;
    taken = take();
    if (taken >= 0) ::close(taken);
  }
  errno = ECONNABORTED;
  return -1;
}
extern "C" int accept(int socket, sockaddr* address, socklen_t* size) {
  return accept4(socket, address, size, 0);
}
