#pragma once
#include "gateway/io/routes.hpp"

namespace eole::gateway {

class Gateway;

/// Groups of readers of the log (/groups), and what is declared on them: /chains, /alerts.
void add_groups(Routes& routes, Gateway& gateway);

}  // namespace eole::gateway
