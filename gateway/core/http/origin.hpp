#pragma once
#include "gateway/core/http/request.hpp"

namespace eole::gateway::http {

/// A page of somebody else's must not make a browser ask here: throws Problem 421 if Host is not
/// one of this machine's own names (a name that was bound to a loopback address is somebody
/// else's), 403 if Origin is another one than that.
void check_origin(const Request& request);

}  // namespace eole::gateway::http
