#pragma once
#include <functional>
#include <string>

#include "common/net/cluster_file.hpp"
#include "common/process/options.hpp"

namespace eole::role {

/// What the mains of all roles have in common: flags, log, cluster file, exit codes.
class Program {
 public:
  Program(std::string name, std::string purpose);
  /// For flags of the role's own.
  process::Options& options() { return options_; }
  /// Parses the command line, then works. The exit code: what `work` returns; 0 after --help; 2
  /// if a person has to change something first (flags, files, damage); 3 if its disk or an address
  /// failed, which may heal; 1 if what it printed could not be written.
  int run(int argc, char** argv, const std::function<int()>& work);

  /// Which of its role the process is, in its log; asked for once the command line was parsed.
  std::function<std::string()> log_name = [] { return std::string(); };
  /// Reads the cluster file. Throws std::runtime_error.
  net::ClusterFile cluster() const;
  std::string cluster_path() const { return net::cluster_file_path(cluster_); }
  /// Keeps this thread to the core that the command line asks for.
  void keep_to_core() const;

 private:
  int run_parsed(int argc, char** argv, const std::function<int()>& work);

  std::string name_;
  process::Options options_;
  std::string cluster_;
  std::uint32_t core_ = 0;
};

/// The flags of a role that keeps something on a disk.
struct StorageFlags {
  std::string data;
  std::string salvage_to;
  std::string durability = "disk";
  bool is_json = false;  // What a salvage says.

  /// `what`: that it keeps, as in "directory of the journal".
  StorageFlags(Program& program, const std::string& what);
  /// Before the first file is made: what a server makes is for its owner alone, and it may open
  /// many files. Throws std::runtime_error if the flags make no sense.
  void prepare() const;
  bool syncs() const { return durability == "disk"; }
  /// Runs a salvage instead of the role: what fails is told to a person. The exit code.
  static int salvage(const std::function<void()>& work);
};

}  // namespace eole::role
