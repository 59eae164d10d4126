#pragma once
#include "gateway/io/routes.hpp"

namespace eole::gateway {

class Gateway;

/// What goes on, as it goes on: /notifications (WebSocket), /events (Server-Sent Events) and /wamp.
void add_live(Routes& routes, Gateway& gateway);

}  // namespace eole::gateway
