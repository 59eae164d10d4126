#include "common/process/private.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "common/base/text.hpp"

namespace eole::process {

void keep_private() { ::umask(077); }

void make_private_directory(const std::string& path) {
  const auto fail = [&](const std::string& why) {
    throw std::runtime_error(text("directory ", path, ": ", why));
  };
  std::error_code error;
  const auto parent = std::filesystem::path(path).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (error) fail(text("cannot make what is above it: ", error.message()));
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    fail(text("cannot be made: ", std::strerror(errno)));
  struct stat status {};
  const auto must_be_own = [&](const char* what) {
    if (status.st_uid != ::geteuid())
      fail(text(what, " of user ", status.st_uid, ", not yours; name another directory"));
  };
  if (::lstat(path.c_str(), &status) != 0) fail(std::strerror(errno));
  if (S_ISLNK(status.st_mode)) must_be_own("is a link");
  if (::stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) fail("is no directory");
  must_be_own("is");
  if ((status.st_mode & 0077) == 0) return;
  if (!std::filesystem::is_empty(path, error) || error)
    fail("others may enter it, and it is not empty; chmod it to 0700, or name another directory");
  if (::chmod(path.c_str(), 0700) != 0) fail(text("cannot be closed: ", std::strerror(errno)));
}

}  // namespace eole::process
