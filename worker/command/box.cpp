#include "worker/command/box.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>

#include "common/base/text.hpp"
#include "worker/command/cgroup.hpp"
#include "worker/command/launch.hpp"
#include "worker/command/sandbox.hpp"

namespace eole::command {

namespace {

constexpr std::uint64_t kPrivate = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;

/// Something of the machine on its way into a box.
struct Laid {
  int tree = -1;  // Descriptor of a mount that is nowhere yet.
  std::string to;
  bool is_directory = true;
};

/// From the copy of this process on nothing may ask for memory: another thread might have held its
/// lock just then.
struct Start {
  const BoxContents& contents;
  char* const* argv;
  const char* cwd;
  const Streams& streams;
  BoxReport& report;
  std::vector<Laid> laid;
  std::string memory;  // Options of a place.
  pid_t pid = -1;
  int error = 0;
};

[[noreturn]] void fail(BoxReport& report, const char* what,
                       BoxReport::At at = BoxReport::At::kBox) {
  report.error = errno;
  report.what = what;
  report.at = at;
  ::_exit(127);
}

void need(bool is_done, BoxReport& report, const char* what) {
  if (!is_done) fail(report, what);
}

void make_parents(char* path) {
  for (char* at = path + 1; (at = std::strchr(at, '/')) != nullptr; ++at) {
    *at = '\0';
    ::mkdir(path, 0755);
    *at = '/';
  }
}

void lay(const Laid& laid, BoxReport& report) {
  char path[PATH_MAX];
  need(laid.to.size() < sizeof path, report, "a path");
  std::memcpy(path, laid.to.c_str(), laid.to.size() + 1);
  make_parents(path);
  if (laid.is_directory)
    ::mkdir(path, 0755);
  else
    ::mknod(path, S_IFREG | 0444, 0);
  need(::move_mount(laid.tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) == 0, report,
       "its directory");
}

void lay_all(const Start& start) {
  auto& report = start.report;
  need(::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) == 0, report,
       "/proc");
  need(::mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "ptmxmode=0666,mode=620") == 0,
       report, "/dev/pts");
  for (const char* place : kOwnPlaces)
    need(::mount("tmpfs", place, "tmpfs", MS_NOSUID | MS_NODEV, start.memory.c_str()) == 0, report,
         place);
  const auto& beside = start.contents.beside;
  if (!beside.empty())
    need(::mount("tmpfs", beside.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") == 0, report,
         "its place");
  for (const auto& laid : start.laid) lay(laid, report);
  if (!beside.empty())
    need(::mount(nullptr, beside.c_str(), nullptr,
                 MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, nullptr) == 0,
         report, "its place");
}

// Root's files in /proc ask for the user, not for capabilities: nobody writes there, nor reads what
// tells of the memory of all.
void seal(BoxReport& report) {
  if (::geteuid() == 0)
    for (const char* path : {"/proc/kpagecount", "/proc/kpageflags", "/proc/kpagecgroup",
                             "/proc/slabinfo", "/proc/vmallocinfo", "/proc/kcore"})
      need(::mount("/dev/null", path, nullptr, MS_BIND, nullptr) == 0 || errno == ENOENT, report,
           path);
  need(::mount(nullptr, "/proc", nullptr,
               MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) == 0,
       report, "/proc");
}

void drop_rights(const Start& start) {
  auto& report = start.report;
  for (int right = 0; ::prctl(PR_CAPBSET_READ, right, 0, 0, 0) >= 0; ++right)
    need(::prctl(PR_CAPBSET_DROP, right, 0, 0, 0) == 0, report, "its rights");
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2]{};
  need(::syscall(SYS_capset, &header, none) == 0, report, "its rights");
  need(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, report, "no new rights");
  // Who waits for the command is no prey to it either.
  need(::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0, report, "its first process");
  const auto& rules = *start.contents.filter;
  sock_fprog filter{static_cast<unsigned short>(rules.size()),
                    const_cast<sock_filter*>(rules.data())};
  need(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0, report, "its filter");
}

[[gnu::noinline]] pid_t begin(const Start& start) {
  const pid_t pid = ::vfork();
  if (pid != 0) return pid;
  ::setsid();
  ::execvp(start.argv[0], start.argv);
  fail(start.report, "", BoxReport::At::kProgram);
}

// Whether nothing went through any device of its network, ever: all their counts are zero.
bool is_unused(int traffic) {
  char counts[4096];
  const auto got = ::read(traffic, counts, sizeof counts);
  if (got <= 0 || got == sizeof counts) return false;
  bool is_count = false;
  for (ssize_t i = 0; i < got; ++i) {
    if (counts[i] == ':' || counts[i] == '\n') is_count = counts[i] == ':';
    if (is_count && counts[i] >= '1' && counts[i] <= '9') return false;
  }
  return true;
}

[[noreturn]] void be_first(const Start& start) {
  auto& report = start.report;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  need(::unshare(CLONE_NEWCGROUP) == 0, report,
       "its group");  // Whose name is the root from now on.
  take_streams(start.streams);
  lay_all(start);
  ::close_range(kProgressDescriptor + 1, ~0U, 0);
  const int traffic = ::open("/proc/self/net/dev", O_RDONLY | O_CLOEXEC);
  ::sethostname("box", 3);
  set_limits();
  seal(report);
  if (::chdir(start.cwd) != 0) fail(report, "", BoxReport::At::kCwd);
  drop_rights(start);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // It was forgotten with the rights.
  const pid_t command = begin(start);
  need(command > 0, report, "its process");
  for (int i = 0; i <= kProgressDescriptor; ++i) ::close(i);
  int status = 0;
  pid_t ended = 0;
  while ((ended = ::wait(&status)) != command)
    if (ended < 0 && errno != EINTR) ::_exit(127);
  report.status = status;
  report.has_ended = report.at == BoxReport::At::kBegun;
  ::kill(-1, SIGKILL);
  while (::wait(nullptr) > 0 || errno == EINTR) {
  }
  report.is_network_unused = is_unused(traffic);
  ::_exit(0);
}

int tree_of(const std::string& path, std::uint64_t attributes) {
  const int tree = ::open_tree(AT_FDCWD, path.c_str(),
                               OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
  mount_attr attr{attributes, 0, 0, 0};
  if (tree < 0 || ::mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof attr) == 0) return tree;
  ::close(tree);
  return -1;
}

// In the memory of this process, which waits.
int enter(void* argument) {
  auto& start = *static_cast<Start*>(argument);
  const auto& contents = start.contents;
  start.error = EPERM;
  if (::setns(contents.view->user(), CLONE_NEWUSER) == 0 &&
      ::setns(contents.view->machine(), CLONE_NEWNS) == 0) {
    start.laid.push_back({tree_of(contents.directory, kPrivate), contents.name});
    for (const auto& path : contents.shown) {
      const int tree = tree_of(path, kPrivate | MOUNT_ATTR_RDONLY);
      struct stat is {};
      if (tree < 0 || ::fstat(tree, &is) != 0) continue;
      start.laid.push_back({tree, path, S_ISDIR(is.st_mode)});
    }
    if (start.laid[0].tree >= 0 && ::setns(contents.view->box(), CLONE_NEWNS) == 0 &&
        (contents.network < 0 || ::setns(contents.network, CLONE_NEWNET) == 0)) {
      start.pid = fork_into(
          contents.cgroup, CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_PARENT);
      if (start.pid == 0) be_first(start);
    }
  }
  start.error = errno;
  ::_exit(0);
}

}  // namespace

Expected<pid_t> launch_in_box(const BoxContents& contents, char* const* argv, const char* cwd,
                              const Streams& streams) {
  auto& report = *contents.report;
  report = {};
  Start start{contents, argv, cwd, streams, report, {}, text("mode=1777,size=", kMemoryFilesBytes)};
  alignas(16) static char stack[64 << 10];
  const pid_t pid = ::clone(enter, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &start);
  if (pid < 0) return Error{std::strerror(errno)};
  ::waitpid(pid, nullptr, 0);
  if (start.pid < 0) return Error{text("a box: ", std::strerror(start.error))};
  return start.pid;
}

}  // namespace eole::command
