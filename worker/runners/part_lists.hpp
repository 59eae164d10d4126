#pragma once
#include "common/base/expected.hpp"
#include "worker/handlers/handler.hpp"

namespace eole::worker {

constexpr std::string_view kPartsReference = "$parts";

/// What a task takes of whole projects: each {"$parts": true} among its arguments becomes the path
/// of a file with what the tasks of the project came to whose last task it is, and {"$parts": NAME}
/// likewise of project NAME. A line of JSON for each part, in the order of the tasks: `id`, and
/// what there is of `value`, `artifact` and `artifacts`. The files go with the attempt. Errors:
/// what is no such reference, or which parts were not done.
Expected<void> put_part_lists(Value& args, TaskContext& context);

}  // namespace eole::worker
