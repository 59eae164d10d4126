#pragma once
#include "gateway/io/routes.hpp"

namespace eole::gateway {

class Gateway;

/// Queues as web services (/queues), and kinds of tasks that are pulled (/work).
void add_queues(Routes& routes, Gateway& gateway);

}  // namespace eole::gateway
