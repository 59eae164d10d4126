#include "common/net/cluster_file.hpp"

#include <sys/stat.h>
#include <toml++/toml.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "common/base/text.hpp"
#include "common/net/private_file.hpp"

namespace eole::net {

namespace {

struct Entry {
  std::string_view name;
  std::string& value;
};

std::array<Entry, 11> entries(ClusterFile& cluster) {
  return {{{"name", cluster.name},
           {"ventilator", cluster.ventilator},
           {"results", cluster.results},
           {"notifications", cluster.notifications},
           {"queries", cluster.queries},
           {"artifacts", cluster.artifacts},
           {"pipes", cluster.pipes},
           {"server_key", cluster.server_key},
           {"public_key", cluster.keys.public_key},
           {"secret_key", cluster.keys.secret_key},
           {"key_table", cluster.key_table}}};
}

}  // namespace

Expected<ClusterFile> read_cluster_file(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0)
    return Error{text("cluster file ", path, ": not there; `eole up` writes it")};
  if ((status.st_mode & 0077) != 0)
    return Error{text("cluster file ", path, ": others can read it, chmod it to 0600")};
  std::ifstream file(path, std::ios::binary);
  std::string content(std::istreambuf_iterator<char>(file), {});
  if (!file) return Error{text("cluster file ", path, ": cannot be read")};
  return parse_cluster_file(content, path);
}

Expected<ClusterFile> parse_cluster_file(std::string_view content, const std::string& path) {
  ClusterFile cluster;
  try {
    const auto file = toml::parse(content, path);
    for (auto& [name, value] : entries(cluster)) value = file[name].value_or(std::string());
  } catch (const toml::parse_error& error) {
    return Error{text("cluster file ", path, ": line ", error.source().begin.line, ": ",
                      error.description())};
  }
  for (const auto& [name, value] : entries(cluster)) {
    if (!value.starts_with("tcp://") && !value.starts_with("ipc://")) continue;
    const bool is_tcp = value.starts_with("tcp://");
    if (is_tcp != cluster.is_encrypted())
      return Error{text("cluster file ", path, ": ", name, " = ", value,
                        is_tcp ? ": TCP needs keys" : ": ipc takes no keys")};
  }
  if (cluster.ventilator.empty() || cluster.queries.empty())
    return Error{text("cluster file ", path, ": names no ventilator or no sink")};
  return cluster;
}

void write_cluster_file(const std::string& path, const ClusterFile& cluster) {
  auto copy = cluster;
  toml::table file;
  for (const auto& [name, value] : entries(copy))
    if (!value.empty()) file.insert(name, value);
  std::ostringstream out;
  out << file << "\n";
  write_private_file(path, out.str());
}

std::string cluster_file_path(const std::string& given) {
  if (!given.empty()) return given;
  if (const char* path = std::getenv("EOLE_CLUSTER"); path != nullptr && *path != '\0') return path;
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state != '\0')
    return text(state, "/eole/cluster.toml");
  const char* home = std::getenv("HOME");
  return text(home != nullptr ? home : ".", "/.local/state/eole/cluster.toml");
}

}  // namespace eole::net
