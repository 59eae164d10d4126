#pragma once
#include "gateway/io/routes.hpp"

namespace eole::gateway {

class Gateway;

/// What is there: GET /healthz, /readyz, /cluster, /workers, /kinds, /history.
void add_state(Routes& routes, Gateway& gateway);

}  // namespace eole::gateway
