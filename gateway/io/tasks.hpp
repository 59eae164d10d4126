#pragma once
#include "gateway/io/routes.hpp"

namespace eole::gateway {

class Gateway;

/// How a submit that was not accepted is told.
http::Problem refused_submit(const Error& error, bool has_key);
/// Of the request's field; empty: it has none. Throws http::Problem.
std::string idempotency_key(const http::Request& request);

/// POST /task, GET and DELETE /task/{id}, GET /tasks.
void add_tasks(Routes& routes, Gateway& gateway);

}  // namespace eole::gateway
