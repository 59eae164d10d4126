#include "common/role/program.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>

#include "common/base/own_files.hpp"
#include "common/base/text.hpp"
#include "common/net/socket.hpp"
#include "common/process/log.hpp"
#include "common/process/output.hpp"
#include "common/process/private.hpp"
#include "common/process/system.hpp"
#include "common/storage/disk.hpp"

namespace eole::role {

Program::Program(std::string name, std::string purpose)
    : name_(name), options_(std::move(name), std::move(purpose)) {
  options_.text("--cluster", cluster_, "FILE", "the cluster or join file (default: EOLE_CLUSTER)");
  options_.number("--core", core_, "N", "keep to the N-th core; 0: any");
}

int Program::run(int argc, char** argv, const std::function<int()>& work) {
  process::hold_standard_streams();
  const int code = run_parsed(argc, argv, work);
  const auto lost = process::lost_output();
  if (lost) std::fprintf(stderr, "%s: %s\n", name_.c_str(), lost->c_str());
  return lost && code == 0 ? 1 : code;
}

int Program::run_parsed(int argc, char** argv, const std::function<int()>& work) {
  if (const auto code = options_.parse(argc, argv)) return *code;
  process::start_log({name_, log_name()});
  process::keep_log_lines();  // Until there is somebody to send them to.
  // Its supervisor says how the one before it ended, which could say so to nobody.
  if (const char* ended = std::getenv("EOLE_ENDED"); ended != nullptr && *ended != '\0')
    process::log_warning(text("started again: the one before it ended, ", ended));
  try {
    return work();
  } catch (const storage::Damage& damage) {
    process::log_error(damage.what());
    return 2;
  } catch (const storage::StorageFailure& failure) {
    process::log_error(failure.what());
    return 3;
  } catch (const net::CannotBind& taken) {
    process::log_error(taken.what());
    return 3;
  } catch (const std::exception& error) {
    process::log_error(error.what());
    return 2;
  }
}

net::ClusterFile Program::cluster() const {
  auto file = net::read_cluster_file(net::cluster_file_path(cluster_));
  if (!file) throw std::runtime_error(file.error().message);
  return std::move(*file);
}

void Program::keep_to_core() const { process::keep_to_core(core_); }

StorageFlags::StorageFlags(Program& program, const std::string& what) {
  auto& options = program.options();
  options.text("--data", data, "DIR", "directory of " + what + " (required)");
  options.text("--durability", durability, "disk|none",
               "none: answers do not wait for the disk, and a power cut may lose them");
  options.text("--salvage", salvage_to, "DIR",
               "write what is whole of a damaged one there, and end (eole salvage)");
  options.toggle("--json", is_json, "what a salvage says as a JSON object");
}

void StorageFlags::prepare() const {
  process::keep_private();
  if (data.empty()) throw std::runtime_error("--data is required");
  if (durability != "disk" && durability != "none")
    throw std::runtime_error("--durability: disk or none");
  if (const auto files = reserve_own_files(); files < process::kFilesWanted)
    process::log_warning(text("only ", files, " open files allowed: enough for few workers"));
}

int StorageFlags::salvage(const std::function<void()>& work) {
  try {
    work();
    return 0;
  } catch (const storage::StorageFailure& failure) {
    std::fprintf(stderr, "eole: salvage: %s\n", failure.what());
    return 2;
  }
}

}  // namespace eole::role
