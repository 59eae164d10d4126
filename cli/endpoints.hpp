#pragma once
#include <string>

#include "common/net/cluster_file.hpp"

namespace eole::cli {

/// The files that `eole up` writes: for its servers, for its workers, for the person.
struct Endpoints {
  net::ClusterFile server;
  net::ClusterFile worker;
  net::ClusterFile client;
  std::string server_path;
  std::string worker_path;
};

/// `listen` empty: ipc in a fresh directory of mode 0700. Otherwise ADDRESS[:PORT]: TCP with the
/// keys that `data` already holds, or new ones. Throws Failure.
Endpoints make_endpoints(const std::string& data, const std::string& listen);

}  // namespace eole::cli
