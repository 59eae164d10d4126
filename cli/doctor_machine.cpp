#include "cli/doctor_machine.hpp"

#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/timex.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <vector>

#include "cli/common.hpp"
#include "common/base/text.hpp"
#include "common/process/options.hpp"
#include "common/process/system.hpp"
#include "common/storage/real_disk.hpp"

namespace eole::cli {

namespace {

using State = Finding::State;

constexpr std::int64_t kEpochMs = 1'735'689'600'000;  // 2025: no machine that runs this is older.
constexpr int kSyncs = 200;
constexpr Duration kSyncsTimeMost = 3s;
constexpr std::size_t kSyncBytes = 4096;
constexpr Duration kSyncSlow = 50ms;    // p99: a submit that waits so long is seen by people.
constexpr Duration kSyncNoDisk = 15us;  // p50: no device confirms so soon.
constexpr std::uint64_t kSpaceLeast = 512 << 20;  // Two segments of journal and log, and as much.
constexpr std::uint64_t kSpaceWanted = 10'000'000'000;  // --keep-bytes, unless it is set.

std::string human_micros(Duration time) {
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
  return micros < 10'000 ? text(micros, " us") : text(micros / 1000, " ms");
}

bool is_memory(const std::string& directory) {
  struct statfs status {};
  if (::statfs(directory.c_str(), &status) != 0) return false;
  return status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC;
}

// How long each sync took, the shortest first. Throws StorageFailure.
std::vector<Duration> measure_syncs(const std::string& path) {
  const auto directory = storage::open_directory(path);
  const auto file = directory->create("probe");
  file->reserve(kSyncs * kSyncBytes);  // As the journal's segments are.
  file->sync();
  const std::string bytes(kSyncBytes, 'e');
  std::vector<Duration> times;
  const auto end = process::now() + kSyncsTimeMost;
  for (std::uint64_t i = 0; i < kSyncs && (i < 3 || process::now() < end); ++i) {
    const auto start = process::now();
    file->write(i * kSyncBytes, bytes);
    file->sync();
    times.push_back(process::now() - start);
  }
  std::sort(times.begin(), times.end());
  return times;
}

// The first line that it says; empty if it says nothing.
std::string said_by(const std::filesystem::path& program, const std::string& words) {
  auto* pipe = ::popen(text("'", program.string(), "' ", words, " 2>/dev/null").c_str(), "re");
  if (pipe == nullptr) return {};
  char line[512] = {};
  if (std::fgets(line, sizeof line, pipe) == nullptr) line[0] = '\0';
  ::pclose(pipe);
  std::string said(line);
  return said.substr(0, said.find('\n'));
}

}  // namespace

Finding look_at_files() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const auto files = static_cast<std::uint64_t>(limit.rlim_max);
  if (files >= process::kFilesWanted) return {"files", State::kOk, text(files, " may be open"), {}};
  return {"files", State::kPoor,
          text("only ", files, " may be open, ", process::kFilesWanted,
               " are wanted: some five for each worker and connection"),
          "raise the hard limit: LimitNOFILE= of the service, or /etc/security/limits.conf"};
}

Finding look_at_clock() {
  const auto now = process::unix_ms();
  if (now < kEpochMs)
    return {"clock", State::kWrong, "it is before 2025: schedules and retention go by it",
            "set it, and run chrony or systemd-timesyncd"};
  timex clock{};
  const int state = ::adjtimex(&clock);
  if (state < 0 || state == TIME_ERROR || (clock.status & STA_UNSYNC) != 0)
    return {"clock", State::kPoor,
            "nothing says that it is kept right: schedules, not_before and --since go by it",
            "run chrony or systemd-timesyncd (in a container: on its host)"};
  return {"clock", State::kOk, text("kept right, to ", clock.maxerror / 1000, " ms"), {}};
}

Finding look_at_programs() {
  const auto own = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  std::string others;
  for (const std::string name : {"ventilator", "sink", "worker", "gateway", "relay"}) {
    const auto said = said_by(own / name, "--version");
    if (said == text(name, " ", process::kRelease)) continue;
    others += text(others.empty() ? "" : ", ", name, said.empty() ? " cannot run" : " is " + said);
  }
  if (others.empty())
    return {"programs", State::kOk, text("all of release ", process::kRelease), {}};
  return {"programs", State::kWrong,
          text("eole is of release ", process::kRelease, ", but in ", own.string(), " ", others),
          "install all of them from one package or one build"};
}

Finding look_at_sandbox(const std::string& directory) {
  namespace fs = std::filesystem;
  const auto worker = fs::read_symlink("/proc/self/exe").parent_path() / "worker";
  auto scratch = text(directory, "/eole-doctor-XXXXXX");
  if (::mkdtemp(scratch.data()) == nullptr)
    return {"sandbox", State::kPoor,
            text("no directory to try it in ", directory, ": ", std::strerror(errno)),
            "make room for one, or name another place in XDG_STATE_HOME"};
  const auto said = said_by(worker, text("--try-box '", scratch, "'"));
  const auto groups = said_by(worker, "--tell-cgroups");
  std::error_code ignored;
  fs::remove_all(scratch, ignored);
  if (said == "a box works here")
    return {"sandbox", State::kOk, text("none, limits and box work for commands; ", groups), {}};
  return {"sandbox", State::kPoor,
          text("none and limits work for commands; ",
               said.empty() ? "the worker cannot run" : text(said, "; ", groups)),
          "allow user namespaces to who runs workers (kernel.unprivileged_userns_clone, "
          "user.max_user_namespaces, AppArmor; in a service RestrictNamespaces=no)"};
}

Finding look_at_syncs(const std::string& directory) {
  const auto probe = text(directory, "/doctor-", ::getpid());
  std::vector<Duration> times;
  std::string failed;
  try {
    times = measure_syncs(probe);
  } catch (const storage::StorageFailure& failure) {
    failed = failure.what();
  }
  std::error_code ignored;
  std::filesystem::remove_all(probe, ignored);
  if (!failed.empty())
    return {"disk", State::kWrong, failed, "let this user write there, or name another --data"};
  const auto p50 = times[times.size() / 2];
  const auto p99 = times[times.size() * 99 / 100];
  const auto what = text(directory, ": a sync takes ", human_micros(p50), " (p50), ",
                         human_micros(p99), " (p99 of ", times.size(), ")");
  if (is_memory(directory))
    return {"disk", State::kPoor, what + "; it is memory: a power cut takes what was promised",
            "keep the data directory on a disk"};
  if (p50 < kSyncNoDisk)
    return {"disk", State::kPoor,
            what + "; no disk is so fast: it may confirm what it does not keep",
            "look at what is below that directory, and at the disk's write cache"};
  if (p99 > kSyncSlow)
    return {"disk", State::kPoor, what + "; each submit waits for one",
            "use a disk that confirms sooner, or nothing else on this one"};
  return {"disk", State::kOk, what, {}};
}

Finding look_at_space(const std::string& directory) {
  std::error_code failed;
  const auto free = std::filesystem::space(directory, failed).available;
  if (failed)
    return {"space", State::kWrong, text(directory, ": ", failed.message()), "look at that disk"};
  const auto what = text(human_bytes(static_cast<double>(free)), " free for ", directory);
  if (free < kSpaceLeast)
    return {"space", State::kWrong,
            text(what, ", ", human_bytes(kSpaceLeast),
                 " is the least: roles refuse work on a full disk"),
            "make room, or name another --data"};
  if (free < kSpaceWanted)
    return {"space", State::kPoor, text(what, ", less than the log may take by itself"),
            "make room, or set --keep-bytes of the sink below it"};
  return {"space", State::kOk, what, {}};
}

}  // namespace eole::cli
