#include "ventilator/io/identity.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "common/base/text.hpp"
#include "common/process/log.hpp"

namespace eole::ventilator {

namespace {

constexpr std::string_view kSuffix = ".origin";
constexpr std::string_view kAnew = "; to give its tasks up, start once with --begin-anew";

std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

}  // namespace

Identity::Identity(std::string data, bool begins_anew)
    : data_(without_slashes(std::filesystem::absolute(data).lexically_normal().string())),
      path_(data_ + std::string(kSuffix)),
      begins_anew_(begins_anew) {
  std::ifstream file(path_);
  std::getline(file, known_);
}

void Identity::require_journal(const storage::Directory& directory) const {
  const auto names = directory.list();
  const bool has_journal = std::any_of(names.begin(), names.end(),
                                       [](const auto& name) { return name.ends_with(".seg"); });
  if (has_journal || known_.empty() || begins_anew_) return;
  throw storage::Damage(text("directory ", data_, " has no journal, and ", path_,
                             " says that the one of origin ", known_, " was here: put it back",
                             kAnew));
}

void Identity::keep(Origin origin) const {
  const auto name = origin_text(origin);
  if (name == known_) return;
  if (!known_.empty() && !begins_anew_)
    throw storage::Damage(text("directory ", data_, " has the journal of origin ", name, ", and ",
                               path_, " says that the one of origin ", known_,
                               " was here: put it back", kAnew));
  write(name + "\n");
}

// A directory above that takes no files is a person's choice: only the guard is missing then.
void Identity::write(const std::string& origin) const {
  const auto temporary = path_ + ".tmp";
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool is_written =
      fd >= 0 && ::write(fd, origin.data(), origin.size()) == static_cast<ssize_t>(origin.size()) &&
      ::fsync(fd) == 0 && ::rename(temporary.c_str(), path_.c_str()) == 0;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (!is_written)
    process::log_warning(text("cannot write ", path_, ": ", std::strerror(error),
                              ": an emptied journal directory would not be noticed"));
}

}  // namespace eole::ventilator
