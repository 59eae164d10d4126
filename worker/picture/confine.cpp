#include "worker/picture/confine.hpp"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <vector>

#include "worker/picture/limits.hpp"
#include "worker/picture/report.hpp"
#include "worker/runners/frames/frames.hpp"

namespace eole::picture {

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSanitized = true;  // Reserves terabytes, and opens files to report.
#else
constexpr bool kIsSanitized = false;
#endif

void limit(__rlimit_resource which, std::uint64_t soft, std::uint64_t hard) {
  const rlimit value{soft, hard};
  if (::setrlimit(which, &value) != 0) fail("the limits of its decoder could not be set");
}

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kArchitecture = 0;
#endif

// Memory and the descriptors that are open; every other system call fails. A kernel without
// filters leaves the limits above.
void allow_few_system_calls() {
  constexpr std::uint32_t kAllowed[] = {
      SYS_read,         SYS_write,          SYS_lseek,  SYS_brk,        SYS_mmap,
      SYS_munmap,       SYS_futex,          SYS_mremap, SYS_exit_group, SYS_rt_sigreturn,
      SYS_rt_sigaction, SYS_gettid,         SYS_exit,   SYS_madvise,    SYS_getpid,
      SYS_getrandom,    SYS_rt_sigprocmask, SYS_tgkill};  // The last: abort().
  std::vector<sock_filter> rules;
  const auto jump = [&](std::uint32_t value, std::uint8_t if_true, std::uint8_t if_false) {
    rules.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, if_true, if_false));
  };
  const auto load = [&](std::size_t at) {
    rules.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(at)));
  };
  const auto answer = [&](std::uint32_t what) { rules.push_back(BPF_STMT(BPF_RET | BPF_K, what)); };
  load(offsetof(seccomp_data, arch));
  jump(kArchitecture, 1, 0);
  answer(SECCOMP_RET_KILL_PROCESS);
  load(offsetof(seccomp_data, nr));
  for (const auto call : kAllowed) {
    jump(call, 0, 1);
    answer(SECCOMP_RET_ALLOW);
  }
  answer(SECCOMP_RET_ERRNO | EPERM);
  const sock_fprog program{static_cast<unsigned short>(rules.size()), rules.data()};
  ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

}  // namespace

void confine() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  pollfd worker{frames::kSocket, 0, 0};  // It may have died before.
  if (::poll(&worker, 1, 0) != 0) ::_exit(1);
  // If the machine runs out of memory, this process goes first.
  const int score = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (score >= 0) {
    (void)!::write(score, "1000", 4);
    ::close(score);
  }
  limit(RLIMIT_CORE, 0, 0);
  limit(RLIMIT_CPU, kCpuSecondsMax, kCpuSecondsMax + 1);
  limit(RLIMIT_FSIZE, kFileBytesMax, kFileBytesMax);
  if (kIsSanitized) return;
  limit(RLIMIT_AS, kMemoryBytesMax, kMemoryBytesMax);
  limit(RLIMIT_NOFILE, 0, 0);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (kArchitecture != 0) allow_few_system_calls();
}

}  // namespace eole::picture
