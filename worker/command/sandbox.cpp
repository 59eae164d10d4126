#include "worker/command/sandbox.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/base/text.hpp"
#include "common/base/utf8.hpp"
#include "worker/command/filter.hpp"
#include "worker/command/launch.hpp"

namespace eole::command {

namespace {

namespace fs = std::filesystem;

constexpr const char* kBox = "/usr/bin/bwrap";
constexpr const char* kHome = "/home";
constexpr std::uint64_t kMemoryFilesBytes = 512ULL << 20;  // Of /tmp, of the home, of /dev/shm.
constexpr rlim_t kOpenFilesMax = 4096;
constexpr rlim_t kProcessesMax = 4096;  // Of a user, in all that it runs; root's are not counted.
constexpr rlim_t kWrittenBytesMax = 64ULL << 30;
constexpr std::size_t kWordsMax = 500;  // Of what a trial prints.

// What programs look for in /etc, and nobody has secrets in.
constexpr const char* kConfiguration[] = {
    "alternatives", "fonts",      "group",          "hosts",         "ld.so.cache",
    "localtime",    "mime.types", "mailcap",        "nsswitch.conf", "os-release",
    "passwd",       "profile",    "protocols",      "pki/tls/certs", "resolv.conf",
    "services",     "ssl/certs",  "ssl/openssl.cnf"};

// Half of the machine: a command that takes more fails, and its neighbours do not.
rlim_t memory_max() {
  struct sysinfo machine {};
  if (::sysinfo(&machine) != 0) return RLIM_INFINITY;
  return static_cast<rlim_t>(machine.totalram) * machine.mem_unit / 2;
}

bool is_below(const std::string& path, std::string_view directory) {
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

// Shown as it is here: a link into the system stays one, which costs no mount.
void show(std::vector<std::string>& words, const std::string& path) {
  std::error_code none;
  const auto real = fs::canonical(path, none);
  if (none) return;
  if (fs::is_symlink(path, none) && is_below(real, "/usr"))
    words.insert(words.end(), {"--symlink", real, path});
  else
    words.insert(words.end(), {"--ro-bind", real, path});
}

std::vector<std::string> system_words() {
  std::vector<std::string> words{"--ro-bind", "/usr", "/usr"};
  for (const char* path : {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"})
    show(words, path);
  for (const std::string name : kConfiguration) show(words, text("/etc/", name));
  words.insert(words.end(), {"--proc", "/proc", "--dev", "/dev"});
  const auto size = std::to_string(kMemoryFilesBytes);
  for (const char* place : {"/tmp", kHome, "/dev/shm"})
    words.insert(words.end(), {"--perms", "1777", "--size", size, "--tmpfs", place});
  words.insert(words.end(), {"--symlink", "/tmp", "/var/tmp"});
  return words;
}

}  // namespace

Sandbox::Sandbox(Settings settings) : settings_(std::move(settings)) {
  if (!is_box()) return;
  system_ = system_words();
  const int file = filter_file();
  filter_fd_ = ::fcntl(file, F_DUPFD_CLOEXEC, 64);  // Away from those that a command is given.
  ::close(file);
}

Sandbox::~Sandbox() {
  if (filter_fd_ >= 0) ::close(filter_fd_);
}

// The command runs as the worker's own user, without any of its rights, in a user namespace. All of
// /proc is read-only: a worker of root's would else be let write the kernel's settings there.
Expected<void> Sandbox::wrap(Command& command, const std::string& directory,
                             const std::vector<std::string>& shown) {
  command.has_limits = settings_.level != Level::kNone;
  if (!is_box()) return {};
  if (filter_fd_ < 0) return Error{"a box: no filter of system calls"};
  std::vector<std::string> words{kBox};
  const auto add = [&](std::initializer_list<std::string> more) {
    words.insert(words.end(), more);
  };
  add({"--unshare-user", "--disable-userns", "--unshare-pid", "--unshare-ipc", "--unshare-uts",
       "--unshare-cgroup-try", "--hostname", "box", "--cap-drop", "ALL", "--die-with-parent",
       "--new-session"});
  if (!settings_.has_net) add({"--unshare-net"});
  words.insert(words.end(), system_.begin(), system_.end());
  for (const auto& hidden : settings_.hidden)
    if (is_below(hidden, "/usr")) add({"--tmpfs", hidden});
  const auto name = is_below(command.cwd, directory) ? directory : command.cwd;
  add({"--bind", directory, name});
  for (const auto& path : shown) add({"--ro-bind-try", path, path});
  for (const char* place : {"/proc", "/dev", "/"}) add({"--remount-ro", place});
  add({"--chdir", command.cwd, "--seccomp", std::to_string(kFilterDescriptor), "--clearenv"});
  for (const auto& variable : command.env) {
    const auto sign = variable.find('=');
    add({"--setenv", variable.substr(0, sign), variable.substr(sign + 1)});
  }
  words.emplace_back("--");
  words.insert(words.end(), command.argv.begin(), command.argv.end());
  command.argv = std::move(words);
  command.env.clear();
  command.cwd.clear();
  command.filter_fd = filter_fd_;
  return {};
}

void set_limits() {
  static const rlim_t memory = memory_max();
  const auto limit = [](__rlimit_resource which, rlim_t most) {
    rlimit now{};
    if (::getrlimit(which, &now) != 0) return;
    now.rlim_max = std::min(now.rlim_max, most);
    now.rlim_cur = std::min(now.rlim_cur, now.rlim_max);
    ::setrlimit(which, &now);
  };
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, kOpenFilesMax);
  limit(RLIMIT_NPROC, kProcessesMax);
  limit(RLIMIT_FSIZE, kWrittenBytesMax);
  limit(RLIMIT_DATA, memory);
  limit(RLIMIT_MEMLOCK, 64 << 10);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  // If the machine runs out of memory, a command goes first.
  const int score = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (score < 0) return;
  (void)!::write(score, "1000", 4);
  ::close(score);
}

Expected<void> try_level(const Settings& settings, const std::string& scratch) {
  if (settings.level != Level::kBox) return {};
  if (::access(kBox, X_OK) != 0)
    return Error{
        text("--sandbox box: ", kBox, ": ", std::strerror(errno), " (install bubblewrap)")};
  auto directory = text(scratch, "/trial-XXXXXX");
  if (::mkdtemp(directory.data()) == nullptr)
    return Error{text("--sandbox box: no directory in ", scratch, ": ", std::strerror(errno))};
  Command command;
  command.argv = {"true"};
  command.env = {"PATH=/usr/bin:/bin"};
  command.cwd = directory;
  Sandbox sandbox(settings);
  Pipe words;
  const auto wrapped = sandbox.wrap(command, directory, {});
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const auto pid = !wrapped        ? Expected<pid_t>(wrapped.error())
                   : !words.open() ? Expected<pid_t>(Error{std::strerror(errno)})
                                   : launch(command, {null, words.end(1), words.end(1), null});
  words.close_end(1);
  std::string said;
  std::array<char, 4096> bytes;
  for (ssize_t got = 0; pid && (got = ::read(words.end(0), bytes.data(), bytes.size())) > 0;)
    said.append(bytes.data(), static_cast<std::size_t>(got));
  int status = 0;
  if (pid) ::waitpid(*pid, &status, 0);
  ::close(null);
  ::rmdir(directory.c_str());
  if (!pid) return Error{text("--sandbox box: ", pid.error().message)};
  if (status == 0) return {};
  while (said.ends_with('\n')) said.pop_back();
  return Error{text("--sandbox box does not work here: ", cut_text(said, kWordsMax))};
}

}  // namespace eole::command
