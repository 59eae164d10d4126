#pragma once
#include <string>

#include "common/base/expected.hpp"
#include "common/net/security.hpp"

namespace eole::net {

/// Where a cluster listens and who this process is in it. TOML, mode 0600.
struct ClusterFile {
  std::string name;        // Of this process's identity.
  std::string ventilator;  // Endpoints, as ZeroMQ writes them.
  std::string results;
  std::string notifications;
  std::string queries;
  std::string artifacts;
  std::string http;   // Where the gateway answers: "http://127.0.0.1:8080"; empty: nowhere.
  std::string pipes;  // Where the ventilator binds pipes: "tcp://10.0.0.1:5576-6570" or "ipc://DIR".
  std::string server_key;  // The cluster's public key; empty if everything is ipc.
  KeyPair keys;            // This process's own; the servers hold the cluster's pair here.
  std::string key_table;   // Servers only: the path of the table of keys.
  std::string token_table;  // Where `eole up` runs: that of who may use HTTP.

  bool is_encrypted() const { return !server_key.empty(); }
  bool operator==(const ClusterFile&) const = default;
};

Expected<ClusterFile> read_cluster_file(const std::string& path);
/// The same from the file's content; `path` is for the error's text.
Expected<ClusterFile> parse_cluster_file(std::string_view content, const std::string& path);
void write_cluster_file(const std::string& path, const ClusterFile& cluster);

/// --cluster's value if given, else EOLE_CLUSTER, else $XDG_STATE_HOME/eole/cluster.toml.
std::string cluster_file_path(const std::string& given);
/// What this user's processes keep: $XDG_STATE_HOME/eole, else in their home. Throws
/// std::runtime_error if there is none.
std::string state_directory();

}  // namespace eole::net
