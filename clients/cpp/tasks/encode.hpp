#pragma once
#include <cstdint>
#include <functional>

#include "clients/cpp/tasks/task_request.hpp"

namespace eole::client {

/// Where a task is that others wait for: by its place among those that are submitted with it.
using ParentOf = std::function<protocol::Parent(std::uint64_t index)>;

/// The conditions of a task, encoded. Neighbours that it waits for are one stretch, unless a result
/// is taken by its place. Errors: too many of them.
Expected<Bytes> encode_conditions(const TaskRequest& task, const ParentOf& parent_of);

}  // namespace eole::client
