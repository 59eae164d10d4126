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

}  // namespace eole::worker
