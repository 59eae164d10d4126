#include "common/net/cluster_file.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <stdexcept>

#include "common/base/text.hpp"
#include "common/net/private_file.hpp"

namespace eole::net {

namespace {

struct Entry {
  std::string_view name;
  std::string& value;
};

std::array<Entry, 13> entries(ClusterFile& cluster) {
  return {{{"name", cluster.name},
           {"ventilator", cluster.ventilator},
           {"results", cluster.results},
           {"notifications", cluster.notifications},
           {"queries", cluster.queries},
           {"artifacts", cluster.artifacts},
           {"http", cluster.http},
           {"pipes", cluster.pipes},
           {"server_key", cluster.server_key},
           {"public_key", cluster.keys.public_key},
           {"secret_key", cluster.keys.secret_key},
           {"key_table", cluster.key_table},
           {"token_table", cluster.token_table}}};
}

}  // namespace

Expected<ClusterFile> read_cluster_file(const std::string& path) {
  constexpr std::size_t kBytesMax = 64 << 10;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0 && errno == ENOENT)
    return Error{text("cluster file ", path, ": not there; `eole up` writes it")};
  if (fd < 0) return Error{text("cluster file ", path, ": ", std::strerror(errno))};
  struct stat status {};
  ::fstat(fd, &status);
  std::string content(kBytesMax + 1, '\0');
  const auto size = S_ISREG(status.st_mode) ? ::read(fd, content.data(), content.size()) : -1;
  ::close(fd);
  if (size < 0) return Error{text("cluster file ", path, ": is no file that can be read")};
  content.resize(static_cast<std::size_t>(size));
  if (content.size() > kBytesMax)
    return Error{text("cluster file ", path, ": larger than ", kBytesMax, " bytes")};
  // Whoever may write it says where this process's tasks go.
  if (const auto self = ::geteuid(); self != 0 && status.st_uid != self && status.st_uid != 0)
    return Error{text("cluster file ", path, ": belongs to user ", status.st_uid, ", not to you")};
  if ((status.st_mode & 0077) != 0)
    return Error{text("cluster file ", path, ": others can read it, chmod it to 0600")};
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
  return state_directory() + "/cluster.toml";
}

std::string state_directory() {
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state != '\0')
    return text(state, "/eole");
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home != '\0') return text(home, "/.local/state/eole");
  const auto* user = ::getpwuid(::geteuid());
  if (user == nullptr || user->pw_dir == nullptr || user->pw_dir[0] != '/')
    throw std::runtime_error(text("HOME is not set, and user ", ::geteuid(),
                                  " has no home: set XDG_STATE_HOME, or name what you want"));
  return text(user->pw_dir, "/.local/state/eole");
}

}  // namespace eole::net
