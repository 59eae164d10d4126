#include <algorithm>

#include "common/base/own_files.hpp"
#include "common/process/system.hpp"
#include "common/role/loop.hpp"
#include "common/role/program.hpp"
#include "common/storage/real_disk.hpp"
#include "ventilator/io/identity.hpp"
#include "ventilator/io/node.hpp"
#include "ventilator/io/salvage.hpp"

int main(int argc, char** argv) {
  using namespace eole;
  ventilator::NodeOptions options;
  role::Program program("ventilator", "Accepts tasks, keeps them in a journal, deals them out.");
  const role::StorageFlags storage(program, "the journal");
  auto& config = options.config;
  auto& flags = program.options();
  flags.duration("--heartbeat", config.heartbeat, "SECONDS", "between a worker's beats");
  flags.duration("--suspect-after", config.suspect_after, "SECONDS", "of silence: no new tasks");
  flags.duration("--lost-after", config.lost_after, "SECONDS", "of silence: tasks go to others");
  flags.duration("--grace", config.grace, "SECONDS", "the same, once the connection has ended");
  flags.number("--attempts-max", config.attempts_max, "N", "then a task is a dead letter", 1);
  flags.number("--queued-max", config.queued_max, "N", "submits over it are refused", 1);
  bool begins_anew = false;
  flags.toggle("--begin-anew", begins_anew,
               "if the journal that was here is gone: give its tasks up");
  return program.run(argc, argv, [&] {
    storage.prepare();
    if (!storage.salvage_to.empty())
      return role::StorageFlags::salvage(
          [&] { ventilator::salvage(storage.data, storage.salvage_to, storage.is_json); });
    program.keep_to_core();
    config.workers_max = static_cast<std::uint32_t>(std::min<std::uint64_t>(
        config.workers_max, reserve_own_files() / ventilator::kFilesPerWorker));
    options.cluster = program.cluster();
    options.store = {.entropy = process::random_u64(), .syncs = storage.syncs()};
    options.boot_id = process::boot_id();
    const auto directory = storage::open_directory(storage.data);
    const ventilator::Identity identity(storage.data, begins_anew);
    identity.require_journal(*directory);
    role::Loop loop(options.cluster, role::Loop::Kind::kServes);
    ventilator::Node node(std::move(options), loop, loop.authority(), *directory);
    identity.keep(node.core().origin());
    return role::run(node, loop);
  });
}
