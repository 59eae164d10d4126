#include "worker/io/scratch.hpp"

#include <algorithm>
#include <filesystem>

#include "common/base/text.hpp"
#include "common/net/cluster_file.hpp"
#include "common/process/private.hpp"

namespace eole::worker {

Scratch::Scratch(std::string& path, std::string name, bool is_named)
    : is_kept_(is_named || !path.empty()) {
  std::replace(name.begin(), name.end(), '/', '_');
  if (path.empty()) path = text(net::state_directory(), "/scratch/", name);
  process::keep_private();
  process::make_private_directory(path);
  path_ = path;
}

Scratch::~Scratch() {
  std::error_code ignored;
  if (!is_kept_) std::filesystem::remove_all(path_, ignored);
}

void remove_directory(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::remove_all(path, error);
  if (!error) return;
  fs::permissions(path, fs::perms::owner_all, fs::perm_options::add, error);
  for (auto it = fs::recursive_directory_iterator(path, error); !error && it != end(it);
       it.increment(error))
    if (it->is_directory(error) && !it->is_symlink(error))
      fs::permissions(*it, fs::perms::owner_all, fs::perm_options::add, error);
  fs::remove_all(path, error);
}

}  // namespace eole::worker
