#pragma once
#include "gateway/io/routes.hpp"

namespace eole::gateway {

class Gateway;

/// What an operator wants to hold: pauses, limits, schedules.
void add_controls(Routes& routes, Gateway& gateway);

}  // namespace eole::gateway
