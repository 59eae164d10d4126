#pragma once
#include "clients/cpp/tasks/task_request.hpp"
#include "gateway/io/ring.hpp"
#include "gateway/io/routes.hpp"

namespace eole::gateway {

class Gateway;

/// What the request's fields say of its tasks, unless these say it themselves: the trace that they
/// are part of. One that is malformed is none.
client::TaskRequest preset_of(const http::Request& request);
/// Whether a body of that type is JSON, one a line.
bool is_lines(std::string_view content_type);
/// Of the request's field; empty: it has none. Throws http::Problem.
std::string idempotency_key(const http::Request& request);

/// How it is now: the log is asked first, since the ventilator reads there what has ended. Null: it
/// was never accepted.
awaitable<Ring::Answer> look_up(Ring ring, TaskId id);
/// Of such a view: the task has ended.
bool is_over(const protocol::Value& view);

/// POST /task, GET and DELETE /task/{id}, GET /tasks.
void add_tasks(Routes& routes, Gateway& gateway);

}  // namespace eole::gateway
