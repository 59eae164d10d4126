#pragma once
#include "gateway/io/routes.hpp"

namespace eole::gateway {

class Gateway;

/// Dead letters: listed, grouped by reason, replayed, discarded.
void add_dead(Routes& routes, Gateway& gateway);

}  // namespace eole::gateway
