#pragma once
#include "gateway/io/routes.hpp"

namespace eole::gateway {

class Gateway;

/// POST /tasks/cancel: all tasks that fit, or only how many there are.
void add_cancels(Routes& routes, Gateway& gateway);

}  // namespace eole::gateway
