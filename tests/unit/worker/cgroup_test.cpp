#include "worker/command/cgroup.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "worker/command/cgroup_tree.hpp"

using namespace eole;
namespace fs = std::filesystem;

namespace {

/// What looks like a group, on a file system that keeps what is written.
class Pretended {
 public:
  explicit Pretended(std::initializer_list<const char*> files) {
    auto pattern = (fs::temp_directory_path() / "eole-cgroup-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
    for (const char* file : files) put(file, "");
  }
  ~Pretended() { fs::remove_all(path_); }
  void put(const std::string& file, const std::string& words) const {
    std::ofstream(path_ / file) << words;
  }
  std::string get(const std::string& file) const {
    std::ifstream in(path_ / file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  command::Cgroup opened() const { return {path_.string(), {100, 5'000'000}}; }
  bool has(const std::string& file) const { return fs::exists(path_ / file); }

 private:
  fs::path path_;
};

}  // namespace

TEST_CASE("a group of processes has the limits that its controllers can hold", "[cgroup]") {
  const Pretended all{"pids.max", "memory.max", "memory.swap.max", "memory.oom.group"};
  auto group = all.opened();
  CHECK(all.get("pids.max") == "100");
  CHECK(all.get("memory.max") == "5000000");
  CHECK(all.get("memory.swap.max") == "0");
  CHECK(all.get("memory.oom.group") == "1");
  const Pretended processes{"pids.max"};
  auto other = processes.opened();
  CHECK(processes.get("pids.max") == "100");
  CHECK_FALSE(processes.has("memory.max"));
  CHECK_FALSE(other.memory_bytes());
  CHECK(other.complaint().empty());
}

TEST_CASE("a group of processes tells what it used and which limit it ran into", "[cgroup]") {
  const Pretended files{"memory.max"};
  auto group = files.opened();
  files.put("memory.peak", "4096000\n");
  CHECK(group.memory_bytes() == 4'096'000);
  files.put("pids.events", "max 0\n");
  files.put("memory.events", "low 0\nhigh 0\nmax 71\noom 0\noom_kill 0\noom_group_kill 0\n");
  CHECK(group.complaint().empty());
  files.put("pids.events", "max 3\n");
  CHECK(group.complaint() == "processes: the limit 100 was reached");
  files.put("memory.events", "low 0\nhigh 0\nmax 71\noom 2\noom_kill 4\noom_group_kill 1\n");
  CHECK(group.complaint() == "memory: the limit 5000000 bytes was exceeded");
  files.put("memory.events", "low 0\nhigh 0\nmax 71\noom 0\noom_kill 4\noom_group_kill 1\n");
  CHECK(group.complaint() == "memory: what its worker and others share was used up");
}

TEST_CASE("a process's group is where its file system is mounted", "[cgroup]") {
  using command::cgroup_directory;
  const std::string whole = "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n";
  CHECK(cgroup_directory("0::/system.slice/eole-worker@1.service\n", whole) ==
        "/sys/fs/cgroup/system.slice/eole-worker@1.service");
  CHECK(cgroup_directory("0::/\n", whole) == "/sys/fs/cgroup");
  CHECK(cgroup_directory("8:pids:/\n4:memory:/a\n0::/b\n", whole) == "/sys/fs/cgroup/b");
  // Of a container that shares the namespace: its own part alone is mounted.
  const std::string part = "29 23 0:26 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
  CHECK(cgroup_directory("0::/docker/abc\n", part) == "/sys/fs/cgroup");
  CHECK(cgroup_directory("0::/docker/abc/x\n", part) == "/sys/fs/cgroup/x");
  CHECK(cgroup_directory("0::/docker/abcd\n", part).empty());
  CHECK(cgroup_directory("0::/\n", "30 23 0:27 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n")
            .empty());
  CHECK(cgroup_directory("8:pids:/\n", whole).empty());
  CHECK(cgroup_directory("0::/\n", "").empty());
}
