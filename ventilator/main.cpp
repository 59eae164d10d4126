#include <cstdio>
#include <exception>

#include "common/base/text.hpp"
#include "common/process/log.hpp"
#include "common/process/options.hpp"
#include "common/process/private.hpp"
#include "common/process/system.hpp"
#include "common/storage/disk.hpp"
#include "ventilator/io/node.hpp"
#include "ventilator/io/salvage.hpp"

int main(int argc, char** argv) {
  using namespace eole;
  ventilator::NodeOptions options;
  std::string cluster;
  process::Options parser("ventilator", "Accepts tasks, keeps them in a journal, deals them out.");
  parser.text("--cluster", cluster, "FILE", "the cluster file (default: EOLE_CLUSTER)");
  parser.text("--data", options.data, "DIR", "directory of the journal (required)");
  auto& config = options.config;
  parser.duration("--heartbeat", config.heartbeat, "SECONDS", "between a worker's beats");
  parser.duration("--suspect-after", config.suspect_after, "SECONDS", "of silence: no new tasks");
  parser.duration("--lost-after", config.lost_after, "SECONDS", "of silence: tasks go to others");
  parser.duration("--grace", config.grace, "SECONDS", "the same, once the connection has ended");
  parser.number("--attempts-max", config.attempts_max, "N", "then a task is a dead letter");
  parser.number("--queued-max", config.queued_max, "N", "submits over it are refused");
  std::uint32_t core = 0;
  parser.number("--core", core, "N", "keep to the N-th core; 0: any");
  std::string durability = "disk";
  parser.text("--durability", durability, "disk|none",
              "none: answers do not wait for the disk, and a power cut may lose them");
  std::string salvage_to;
  parser.text("--salvage", salvage_to, "DIR",
              "write what is whole of a damaged journal there, and end (eole salvage)");
  if (const auto code = parser.parse(argc, argv)) return *code;
  process::keep_private();
  process::start_log("ventilator");
  try {
    if (options.data.empty()) throw std::runtime_error("--data is required");
    if (!salvage_to.empty()) return ventilator::salvage(options.data, salvage_to);
    if (durability != "disk" && durability != "none")
      throw std::runtime_error("--durability: disk or none");
    options.syncs = durability == "disk";
    process::keep_to_core(core);
    auto file = net::read_cluster_file(net::cluster_file_path(cluster));
    if (!file) throw std::runtime_error(file.error().message);
    options.cluster = std::move(*file);
    if (const auto files = process::raise_file_limit(); files < process::kFilesWanted)
      process::log_warning(text("only ", files, " open files allowed: enough for few workers"));
    return ventilator::Node(std::move(options)).run();
  } catch (const storage::StorageFailure& failure) {
    process::log_error(failure.what());
    return 3;
  } catch (const std::exception& error) {
    process::log_error(error.what());
    return 2;
  }
}
