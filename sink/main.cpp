#include <filesystem>
#include <set>

#include "common/process/system.hpp"
#include "common/role/loop.hpp"
#include "common/role/program.hpp"
#include "common/storage/real_disk.hpp"
#include "sink/io/artifact_server.hpp"
#include "sink/io/history_thread.hpp"
#include "sink/io/node.hpp"
#include "sink/io/salvage.hpp"

int main(int argc, char** argv) {
  using namespace eole;
  role::Program program("sink", "Keeps results in a log, publishes them, keeps artifacts.");
  const role::StorageFlags storage(program, "log and artifacts");
  sink::Retention retention;
  program.options().number("--keep-days", retention.days, "N",
                           "results older than this go, by the sink's clock", 1,
                           process::kKeepDaysMax);
  program.options().size("--keep-bytes", retention.bytes, "SIZE",
                         "of the log; beyond it the oldest results go (10GB, 64MiB)",
                         process::kKeepBytesMin);
  std::vector<std::string> compact;
  program.options().texts("--compact", compact, "PROJECT",
                          "of its keys the last results stay, whatever the log's age and size");
  sink::LineRetention lines;
  program.options().number("--logs-keep-days", lines.days, "N", "lines of roles' logs go then", 1,
                           process::kKeepDaysMax);
  program.options().size("--logs-keep-bytes", lines.bytes, "SIZE",
                         "of lines of roles' logs; beyond it the oldest of who has most go",
                         process::kKeepBytesMin);
  return program.run(argc, argv, [&] {
    storage.prepare();
    if (!storage.salvage_to.empty())
      return role::StorageFlags::salvage(
          [&] { sink::salvage(storage.data, storage.salvage_to, storage.is_json); });
    program.keep_to_core();
    const auto cluster = program.cluster();
    const auto log = storage::open_directory(storage.data + "/log");
    const auto artifacts_path = std::filesystem::absolute(storage.data + "/artifacts").string();
    const auto artifacts = storage::open_directory(artifacts_path);
    sink::ArtifactShelf shelf(*artifacts, process::unix_ms());
    role::Loop loop(cluster, role::Loop::Kind::kServes);
    sink::HistoryDesk desk;
    loop.watch(desk.fd(), desk.due());
    sink::Node node(
        {cluster, {.entropy = process::random_u64(), .syncs = storage.syncs()}, retention}, loop,
        loop.authority(), *log, shelf, desk);
    const sink::HistoryThread history(desk, *log,
                                      {storage.data + "/index", storage.data + "/lines", lines,
                                       std::set(compact.begin(), compact.end())});
    const sink::ArtifactServer server(loop.context(), loop.authority(), cluster.artifacts, shelf,
                                      artifacts_path);
    return role::run(node, loop);
  });
}
