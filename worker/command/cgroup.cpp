#include "worker/command/cgroup.hpp"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "common/base/text.hpp"

namespace eole::command {

namespace {

constexpr int kEndMsMax = 1000;

// Behind its name in lines as "oom_kill 1"; the whole of a file that is a number alone.
std::uint64_t number_in(std::string_view told, std::string_view name) {
  const auto at = name.empty() ? 0 : text("\n", told).find(text("\n", name, " "));
  if (at == told.npos) return 0;
  std::uint64_t number = 0;
  const auto* begin = told.data() + at + name.size() + !name.empty();
  std::from_chars(begin, told.data() + told.size(), number);
  return number;
}

}  // namespace

bool write_setting(const std::string& path, const std::string& value) {
  const process::Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file.is_open() &&
         ::write(file.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size());
}

std::string setting(const std::string& path) {
  const process::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 4096> bytes;
  const auto got = ::read(file.get(), bytes.data(), bytes.size());
  return {bytes.data(), static_cast<std::size_t>(got < 0 ? 0 : got)};
}

void remove_cgroup(const std::string& directory) {
  if (::rmdir(directory.c_str()) == 0 || errno != EBUSY) return;
  write_setting(directory + "/cgroup.kill", "1");
  const process::Descriptor events(
      ::open((directory + "/cgroup.events").c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 256> bytes;
  const auto is_populated = [&] {
    const auto got = ::pread(events.get(), bytes.data(), bytes.size(), 0);
    return got > 0 && number_in({bytes.data(), static_cast<std::size_t>(got)}, "populated") != 0;
  };
  pollfd change{events.get(), POLLPRI, 0};
  while (is_populated() && ::poll(&change, 1, kEndMsMax) > 0) {
  }
  ::rmdir(directory.c_str());
}

Expected<Cgroup> Cgroup::make(std::string directory, const Limits& limits) {
  if (::mkdir(directory.c_str(), 0755) != 0)
    return Error{text("a group of processes ", directory, ": ", std::strerror(errno))};
  return Cgroup(std::move(directory), limits);
}

Cgroup::Cgroup(std::string directory, const Limits& limits)
    : directory_(std::move(directory)),
      descriptor_(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
      limits_(limits) {
  if (limits_.processes_max != 0)
    write_setting(directory_ + "/pids.max", std::to_string(limits_.processes_max));
  if (limits_.memory_bytes_max == 0 ||
      !write_setting(directory_ + "/memory.max", std::to_string(limits_.memory_bytes_max)))
    return;
  write_setting(directory_ + "/memory.swap.max", "0");
  // All of it or nothing: half a command gives half a result.
  write_setting(directory_ + "/memory.oom.group", "1");
}

Cgroup::~Cgroup() {
  if (descriptor_.is_open()) remove_cgroup(directory_);
}

void Cgroup::kill() const { write_setting(directory_ + "/cgroup.kill", "1"); }

std::optional<std::uint64_t> Cgroup::memory_bytes() const {
  const auto peak = setting(directory_ + "/memory.peak");
  if (peak.empty()) return {};
  return number_in(peak, "");
}

std::string Cgroup::complaint() const {
  const auto memory = setting(directory_ + "/memory.events");
  if (number_in(memory, "oom_kill") != 0)
    return number_in(memory, "oom") != 0
               ? text("memory: the limit ", limits_.memory_bytes_max, " bytes was exceeded")
               : std::string("memory: what its worker and others share was used up");
  if (number_in(setting(directory_ + "/pids.events"), "max") != 0)
    return text("processes: the limit ", limits_.processes_max, " was reached");
  return {};
}

pid_t fork_into(int cgroup, std::uint64_t flags) {
  if (cgroup < 0)
    return static_cast<pid_t>(::syscall(SYS_clone, static_cast<unsigned long>(flags) | SIGCHLD,
                                        nullptr, nullptr, nullptr, 0));
  clone_args args{};
  args.flags = flags | CLONE_INTO_CGROUP;
  args.exit_signal = (flags & CLONE_PARENT) != 0 ? 0 : SIGCHLD;  // With it, it is this process's.
  args.cgroup = static_cast<std::uint64_t>(cgroup);
  return static_cast<pid_t>(::syscall(SYS_clone3, &args, sizeof args));
}

}  // namespace eole::command
