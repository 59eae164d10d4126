#include "common/base/own_files.hpp"

#include <sys/resource.h>

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
