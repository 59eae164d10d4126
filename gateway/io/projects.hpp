#pragma once
#include "gateway/io/routes.hpp"

namespace eole::gateway {

class Gateway;

/// Projects, seen and told: open, close, cancel, retry.
void add_projects(Routes& routes, Gateway& gateway);

}  // namespace eole::gateway
