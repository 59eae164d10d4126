#pragma once
#include <string>

#include "cli/common.hpp"

namespace eole::cli {

/// The data directory of a cluster, and the person's file that says where it is.
struct Place {
  std::string data;  // Absolute.
  std::string cluster_path;
};

/// Makes the directory if it is not there, and holds both as long as this process lives: nobody
/// else starts or writes a cluster there meanwhile. `data` empty: the user's own. Throws Failure.
Place take_place(std::string data, const Globals& globals);

}  // namespace eole::cli
