#pragma once
#include "gateway/io/routes.hpp"

namespace eole::gateway {

class Gateway;

/// POST /task, GET and DELETE /task/{id}, GET /tasks.
void add_tasks(Routes& routes, Gateway& gateway);

}  // namespace eole::gateway
