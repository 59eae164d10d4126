#include "worker/command/sandbox.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/base/text.hpp"
#include "worker/command/filter.hpp"
#include "worker/command/launch.hpp"

namespace eole::command {

namespace {

constexpr rlim_t kOpenFilesMax = 4096;
// Of a user, in all that it runs, root's not counted; and of a command that has a group.
constexpr rlim_t kProcessesMax = 4096;
constexpr rlim_t kWrittenBytesMax = 64ULL << 30;

// Half of the machine: a command that takes more fails, and its neighbours do not.
rlim_t memory_max() {
  struct sysinfo machine {};
  if (::sysinfo(&machine) != 0) return RLIM_INFINITY;
  return static_cast<rlim_t>(machine.totalram) * machine.mem_unit / 2;
}

// Over what a box needs to be one nothing is laid, by no way that leads there.
bool may_be_laid_at(const std::string& path) {
  if (goes_up(path)) return false;
  const auto at = std::filesystem::path(path).lexically_normal().string();
  return at.find_first_not_of('/') != at.npos && !is_below(at, "/proc") && !covers_system(at) &&
         (!is_below(at, "/dev") || is_own_place(at));
}

}  // namespace

Sandbox::Sandbox(Settings settings) : settings_(std::move(settings)) {
  if (!is_box()) return;
  filter_ = box_filter();
  void* page =
      ::mmap(nullptr, sizeof(BoxReport), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page != MAP_FAILED) report_ = new (page) BoxReport;
}

Sandbox::~Sandbox() {
  if (report_ != nullptr) ::munmap(report_, sizeof *report_);
}

Expected<void> Sandbox::wrap(Command& command, const std::string& directory,
                             const std::vector<std::string>& shown) {
  command.has_limits = settings_.level != Level::kNone;
  if (command.has_limits && !settings_.cgroups.empty()) {
    auto made = Cgroup::make(text(settings_.cgroups, "/", ::getpid(), "-", ++wrapped_),
                             {kProcessesMax, memory_max()});
    if (!made) return made.error();
    command.cgroup.emplace(std::move(*made));
  }
  if (!is_box()) return {};
  if (report_ == nullptr) return Error{"a box: no memory for its report"};
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return Error{text("a box: no directory ", directory, ": ", std::strerror(errno))};
  const auto name = is_below(command.cwd, directory) ? directory : command.cwd;
  if (name != directory && !may_be_laid_at(name))
    return Error{text("a box: no directory can be laid at ", name)};
  const auto beside = directory.substr(0, directory.rfind('/'));
  // In the user's home, say: the command finds its directory over all that is there.
  const bool is_covered = name != directory && is_below(beside, name);
  if (is_covered && !shown.empty())
    return Error{
        text("a box: no directory can be laid at ", name, ", over what the task has in ", beside)};
  std::vector<std::string> places{beside};
  if (name != directory) places.push_back(name);
  if (const auto made = view_.prepare(places, settings_.hidden); !made)
    return Error{text("a box: ", made.error().message)};
  int network = -1;
  if (!settings_.has_net) {
    // What a command did with it is nothing that the next may find.
    if (!report_->is_network_unused) view_.give_up_network();
    const auto own = view_.network();
    if (!own) return Error{text("a box: ", own.error().message)};
    network = *own;
  }
  command.box = BoxContents{.view = &view_,
                            .directory = directory,
                            .name = name,
                            .beside = is_covered || is_own_place(beside) ? "" : beside,
                            .shown = shown,
                            .filter = &filter_,
                            .network = network,
                            .cgroup = command.cgroup ? command.cgroup->descriptor() : -1,
                            .report = report_};
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
  const auto refuse = [](const std::string& why) {
    return Error{text("--sandbox box does not work here: ", why)};
  };
  auto directory = text(scratch, "/trial-XXXXXX");
  if (::mkdtemp(directory.data()) == nullptr)
    return refuse(text("no directory in ", scratch, ": ", std::strerror(errno)));
  Command command;
  command.argv = {"true"};
  command.env = {"PATH=/usr/bin:/bin"};
  command.cwd = directory;
  Sandbox sandbox(settings);
  const auto wrapped = sandbox.wrap(command, directory, {});
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const auto pid = wrapped ? launch(command, {null, null, null, null}) : wrapped.error();
  int status = 0;
  if (pid) ::waitpid(*pid, &status, 0);
  ::close(null);
  ::rmdir(directory.c_str());
  if (!pid) return refuse(pid.error().message);
  if (const auto begun = has_begun(command); !begun) return refuse(begun.error().message);
  if (status != 0) return refuse("its first process was killed");
  return {};
}

}  // namespace eole::command
