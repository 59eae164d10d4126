#include "cli/place.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/base/text.hpp"
#include "common/base/utf8.hpp"
#include "common/process/private.hpp"

namespace eole::cli {

namespace {

void lock(const std::string& path, const std::string& what) {
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) throw Failure{kBadUse, text("cannot open ", path, ": ", std::strerror(errno))};
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0)
    throw Failure{kBadUse, text(what, " is in use by another `eole up`")};
}

}  // namespace

Place take_place(std::string data, const Globals& globals) {
  process::keep_private();
  auto cluster_path = net::cluster_file_path(globals.cluster_path);
  if (data.empty()) data = net::state_directory() + "/data";
  process::make_private_directory(data);
  data = std::filesystem::canonical(data).string();
  if (!is_utf8(data))  // The files that tell where a cluster is are TOML.
    throw Failure{kBadUse, text("directory ", shown(data),
                                ": its name is not UTF-8; name another one with --data")};
  lock(data + "/up.lock", "directory " + data);
  lock(cluster_path + ".lock", "cluster file " + cluster_path);
  return {std::move(data), std::move(cluster_path)};
}

}  // namespace eole::cli
