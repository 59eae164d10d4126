#pragma once
#include <set>
#include <string>

#include "cli/common.hpp"

namespace eole::cli {

/// Of the places of tasks ("pin=w1"): says on standard error which worker is named and not
/// connected. Its tasks wait for it.
void look_for_pins(Cluster& cluster, const std::set<std::string>& places);

}  // namespace eole::cli
