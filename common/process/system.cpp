#include "common/process/system.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <stdexcept>

#include "common/base/planted.hpp"

namespace eole::process {

TimePoint now() {
  if (planted("leases-by-the-wall-clock")) return TimePoint(std::chrono::milliseconds(unix_ms()));
  return TimePoint(
      std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

std::int64_t unix_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::uint64_t random_u64() {
  std::uint64_t value = 0;
  if (::getrandom(&value, sizeof value, 0) != sizeof value)
    throw std::runtime_error("the kernel gave no random bits");
  return value;
}

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

namespace {
sigset_t stop_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGTERM);
  ::sigaddset(&set, SIGINT);
  return set;
}
}  // namespace

StopSignal::StopSignal() {
  const auto set = stop_signals();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  fd_ = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd_ < 0) throw std::runtime_error("cannot watch for SIGTERM");
}

StopSignal::~StopSignal() { ::close(fd_); }

int StopSignal::take() {
  int count = 0;
  signalfd_siginfo info{};
  while (::read(fd_, &info, sizeof info) == sizeof info) ++count;
  return count;
}

void unblock_signals() {
  const auto set = stop_signals();
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
}

namespace {
cpu_set_t g_cores;  // What this process may use; known once it was kept to one of them.
bool g_is_kept = false;
}  // namespace

void keep_to_core(std::uint32_t number) {
  if (number == 0 || ::sched_getaffinity(0, sizeof g_cores, &g_cores) != 0) return;
  auto left = (number - 1) % static_cast<std::uint32_t>(CPU_COUNT(&g_cores));
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (!CPU_ISSET(core, &g_cores) || left-- > 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    g_is_kept = ::sched_setaffinity(0, sizeof one, &one) == 0;
    return;
  }
}

void leave_core() {
  if (g_is_kept) ::sched_setaffinity(0, sizeof g_cores, &g_cores);
}

}  // namespace eole::process
