#pragma once
#include <string>

#include "gateway/io/ring.hpp"

namespace eole::gateway {

/// The task behind a name that an upload was told, as look_up() has it, with its id. Throws
/// http::Problem 404.
awaitable<protocol::Value> upload_view(Ring ring, std::string name);

/// How far it is, as GET /status and GET /uploads/{id} tell it. Throws http::Problem 404.
awaitable<protocol::Value> upload_status(Ring ring, std::string name);

}  // namespace eole::gateway
