#include "worker/command/view.hpp"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <utility>

#include "common/base/text.hpp"

namespace eole::command {

namespace {

namespace fs = std::filesystem;

// What programs look for, and nobody has secrets in.
constexpr const char* kSystem[] = {"/usr",
                                   "/bin",
                                   "/sbin",
                                   "/lib",
                                   "/lib32",
                                   "/lib64",
                                   "/libx32",
                                   "/etc/alternatives",
                                   "/etc/fonts",
                                   "/etc/group",
                                   "/etc/hosts",
                                   "/etc/ld.so.cache",
                                   "/etc/localtime",
                                   "/etc/mime.types",
                                   "/etc/mailcap",
                                   "/etc/nsswitch.conf",
                                   "/etc/os-release",
                                   "/etc/passwd",
                                   "/etc/profile",
                                   "/etc/protocols",
                                   "/etc/pki/tls/certs",
                                   "/etc/resolv.conf",
                                   "/etc/services",
                                   "/etc/ssl/certs",
                                   "/etc/ssl/openssl.cnf"};
constexpr const char* kDevices[] = {"null", "zero", "full", "random", "urandom", "tty"};
constexpr std::uint64_t kReadOnly = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
// It is written to all the same: the file system is read-only, with its owner and its times.
constexpr std::uint64_t kDevice = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
constexpr std::size_t kStackBytes = 256 << 10;

// A hidden file that is replaced is another one, over which nothing is laid yet.
std::vector<std::pair<dev_t, ino_t>> now_there(const std::vector<std::string>& hidden) {
  std::vector<std::pair<dev_t, ino_t>> there;
  const auto look = [&](const char* path) {
    struct stat is {};
    ::stat(path, &is);
    there.emplace_back(is.st_dev, is.st_ino);
  };
  for (const char* path : kSystem) look(path);
  for (const auto& path : hidden) look(path.c_str());
  return there;
}

bool is_shown(const std::string& path) {
  return std::any_of(std::begin(kSystem), std::end(kSystem),
                     [&](const char* shown) { return is_below(path, shown); });
}

// In a descriptor away from those that a command is given.
int hold_open(const char* path) {
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  const int held = ::fcntl(file, F_DUPFD_CLOEXEC, 64);
  ::close(file);
  return held;
}

/// Calls it in a process of its own that has this one's memory and descriptors, while this one
/// waits. False: errno says why.
bool call_apart(int (*function)(void*), void* argument, int namespaces) {
  const auto stack = std::make_unique<char[]>(kStackBytes);
  const pid_t pid = ::clone(function, stack.get() + kStackBytes,
                            CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD | namespaces, argument);
  return pid > 0 && ::waitpid(pid, nullptr, 0) == pid;
}

/// Runs in this process's memory, in namespaces of its own, while the process waits.
class Preparation {
 public:
  Preparation(const std::vector<std::string>& places, const std::vector<std::string>& hidden)
      : places_(places), hidden_(hidden) {}

  bool run() {
    return is_user() && is_apart() && has_system() && has_devices() && is_root() && has_places() &&
           is_sealed();
  }
  bool is_done = false;
  std::string problem;
  int user = -1, machine = -1, box = -1;

 private:
  template <class... Words>
  bool did(bool was_done, const Words&... what) {
    if (!was_done) problem = text(what..., ": ", std::strerror(errno));
    return was_done;
  }

  bool write(const char* path, const std::string& words) {
    const int file = ::open(path, O_WRONLY | O_CLOEXEC);
    const bool was_done =
        did(file >= 0 && ::write(file, words.data(), words.size()) == std::ssize(words), path);
    if (file >= 0) ::close(file);
    return was_done;
  }

  bool hold(const char* path, int& into) {
    into = hold_open(path);
    return did(into >= 0, path);
  }

  bool make(const std::string& path) {
    std::error_code error;
    fs::create_directories(path, error);
    errno = error.value();
    return did(!error, path);
  }

  bool lay(const std::string& from, const std::string& to, std::uint64_t attributes) {
    const int tree =
        ::open_tree(AT_FDCWD, from.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    mount_attr attr{attributes, 0, 0, 0};
    const bool is_laid =
        did(tree >= 0 &&
                ::mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr) == 0 &&
                ::move_mount(tree, "", AT_FDCWD, to.c_str(), MOVE_MOUNT_F_EMPTY_PATH) == 0,
            from);
    if (tree >= 0) ::close(tree);
    return is_laid;
  }

  // Itself in a user namespace, which then allows no further one.
  bool is_user() {
    const auto line = [](std::uint64_t id) { return text(id, " ", id, " 1"); };
    return write("/proc/self/setgroups", "deny") && write("/proc/self/uid_map", line(uid_)) &&
           write("/proc/self/gid_map", line(gid_)) &&
           write("/proc/sys/user/max_user_namespaces", "0") && hold("/proc/self/ns/user", user) &&
           hold("/proc/self/ns/mnt", machine);
  }

  // What is mounted on this machine later on comes to `machine`, and goes from there.
  bool is_apart() {
    return did(::mount(nullptr, "/", nullptr, MS_SLAVE | MS_REC, nullptr) == 0, "slave mounts") &&
           did(::unshare(CLONE_NEWNS) == 0, "its files") && hold("/proc/self/ns/mnt", box) &&
           did(::mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr) == 0, "own mounts") &&
           did(::mount("tmpfs", kRoot, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") == 0, kRoot) &&
           did(::chdir(kRoot) == 0, kRoot);
  }

  // As it is here: a link into the system stays one, which costs no mount.
  bool has_system() {
    for (const std::string path : kSystem) {
      std::error_code none;
      const auto real = fs::canonical(path, none);
      if (none) continue;
      const auto to = text(".", path);
      if (!make(fs::path(to).parent_path())) return false;
      if (fs::is_symlink(path, none) && is_below(real, "/usr")) {
        if (!did(::symlink(real.c_str(), to.c_str()) == 0, path)) return false;
        continue;
      }
      const bool has_place = fs::is_directory(real, none)
                                 ? make(to)
                                 : did(::mknod(to.c_str(), S_IFREG | 0444, 0) == 0, path);
      if (!has_place || !lay(real, to, kReadOnly)) return false;
    }
    return true;
  }

  bool has_devices() {
    if (!make("./dev/pts")) return false;
    for (const std::string name : kDevices) {
      const auto to = text("./dev/", name);
      if (!did(::mknod(to.c_str(), S_IFREG | 0444, 0) == 0, to) ||
          !lay(text("/dev/", name), to, kDevice))
        return false;
    }
    for (const auto& [to, name] : {std::pair{"/proc/self/fd", "fd"},
                                   {"/proc/self/fd/0", "stdin"},
                                   {"/proc/self/fd/1", "stdout"},
                                   {"/proc/self/fd/2", "stderr"},
                                   {"pts/ptmx", "ptmx"}})
      if (!did(::symlink(to, text("./dev/", name).c_str()) == 0, name)) return false;
    return true;
  }

  // Each box has its own /proc over this one, in which this process alone ever was.
  bool is_root() {
    return make("./proc") &&
           did(::mount("proc", "./proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) == 0,
               "/proc") &&
           did(::syscall(SYS_pivot_root, ".", ".") == 0, "its root") &&
           did(::umount2(".", MNT_DETACH) == 0, "this machine's root") &&
           did(::chdir("/") == 0, "/");
  }

  // Only now: paths of others lead nowhere else any more, whatever links they have.
  bool has_places() {
    for (const char* path : kOwnPlaces)
      if (!make(path)) return false;
    if (!make("/var") || !did(::symlink("/tmp", "/var/tmp") == 0, "/var/tmp")) return false;
    for (const auto& path : places_)
      if (!is_own_place(path) && !make(path)) return false;
    return std::all_of(hidden_.begin(), hidden_.end(),
                       [&](const auto& path) { return !is_shown(path) || hide(path); });
  }

  bool hide(const std::string& path) {
    std::error_code none;
    const auto is = fs::status(path, none);
    if (!fs::exists(is)) return true;
    return did((fs::is_directory(is)
                    ? ::mount("tmpfs", path.c_str(), "tmpfs", MS_RDONLY, "mode=0755")
                    : ::mount("/dev/null", path.c_str(), nullptr, MS_BIND, nullptr)) == 0,
               path);
  }

  bool is_sealed() {
    mount_attr attr{kReadOnly, 0, 0, 0};
    return did(::mount_setattr(AT_FDCWD, "/", 0, &attr, sizeof attr) == 0, "/");
  }

  static constexpr const char* kRoot = "/tmp";  // Somewhere; the old one is gone at the end.
  const uid_t uid_ = ::geteuid();
  const gid_t gid_ = ::getegid();
  const std::vector<std::string>& places_;
  const std::vector<std::string>& hidden_;
};

int run(void* argument) {
  auto& preparation = *static_cast<Preparation*>(argument);
  preparation.is_done = preparation.run();
  ::_exit(0);
}

struct NewNetwork {
  int user;
  int network = -1;
  int error = 0;
};

int make_network(void* argument) {
  auto& wanted = *static_cast<NewNetwork*>(argument);
  ifreq loopback{};
  std::strcpy(loopback.ifr_name, "lo");
  loopback.ifr_flags = IFF_UP;
  int any = -1;
  if (::setns(wanted.user, CLONE_NEWUSER) == 0 && ::unshare(CLONE_NEWNET) == 0 &&
      (any = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) >= 0 &&
      ::ioctl(any, SIOCSIFFLAGS, &loopback) == 0)
    wanted.network = hold_open("/proc/self/ns/net");
  wanted.error = errno;
  if (any >= 0) ::close(any);
  ::_exit(0);
}

}  // namespace

bool is_below(const std::string& path, std::string_view directory) {
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

bool goes_up(const std::string& path) {
  const fs::path names(path);
  return std::find(names.begin(), names.end(), "..") != names.end();
}

bool is_own_place(const std::string& path) {
  return is_below(path, "/var/tmp") ||
         std::any_of(std::begin(kOwnPlaces), std::end(kOwnPlaces),
                     [&](const char* place) { return is_below(path, place); });
}

bool covers_system(const std::string& path) {
  return std::any_of(std::begin(kSystem), std::end(kSystem),
                     [&](const char* system) { return is_below(system, path); });
}

View::~View() { close(); }

void View::close() {
  for (int* file : {&user_, &machine_, &box_, &network_})
    if (*file >= 0) ::close(std::exchange(*file, -1));
}

Expected<void> View::prepare(const std::vector<std::string>& places,
                             const std::vector<std::string>& hidden) {
  auto there = now_there(hidden);
  if (user_ >= 0 && there == there_ && places == places_) return {};
  close();
  Preparation preparation(places, hidden);
  if (!call_apart(run, &preparation, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID))
    return Error{text("namespaces: ", std::strerror(errno))};
  user_ = preparation.user;
  machine_ = preparation.machine;
  box_ = preparation.box;
  if (!preparation.is_done) {
    close();
    return Error{preparation.problem.empty() ? "it was killed" : preparation.problem};
  }
  places_ = places;
  there_ = std::move(there);
  return {};
}

Expected<int> View::network() {
  if (network_ >= 0) return network_;
  NewNetwork made{.user = user_};
  if (!call_apart(make_network, &made, 0)) made.error = errno;
  network_ = made.network;
  if (network_ < 0) return Error{text("its network: ", std::strerror(made.error))};
  return network_;
}

void View::give_up_network() {
  if (network_ >= 0) ::close(std::exchange(network_, -1));
}

}  // namespace eole::command
