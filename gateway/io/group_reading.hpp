#pragma once
#include "gateway/io/routes.hpp"

namespace eole::gateway {

class Gateway;

/// Groups read over HTTP: /groups/{name}/records, commit and leave.
void add_group_reading(Routes& routes, Gateway& gateway);

}  // namespace eole::gateway
