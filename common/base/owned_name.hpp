#pragma once
#include <string_view>

#include "common/base/within.hpp"

namespace eole {

/// A name that was made one's own by Within::own(): whose it is, and as it was given.
struct OwnedName {
  Within by;
  std::string_view name;
};

OwnedName owned_name(std::string_view own);

}  // namespace eole
