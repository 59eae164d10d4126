#pragma once
#include "gateway/io/routes.hpp"

namespace eole::gateway {

class Gateway;

/// GET /logs: what all roles said of their work, a page of it or as it comes.
void add_logs(Routes& routes, Gateway& gateway);

}  // namespace eole::gateway
