#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/within.hpp"
#include "gateway/core/submission.hpp"

namespace eole::gateway {

/// What is to become of a file that is uploaded: a task that takes it as its argument `artifact`.
struct UploadWish {
  std::string file_name;  // As safe_file_name() makes it.
  std::string kind = "image";
  std::string project = "uploads";
  protocol::Value args = protocol::Value::Map{};
  client::TaskRequest preset = {};  // What the request says beside.
};

/// By the fields beside the file: kind, project, args (a JSON object), and arguments of the kind by
/// their own names. The project is one within, and uploads there if none is named; the rest is as in
/// `preset`. Throws http::Problem 400, also for what the kind does not know; 403: another's project.
using UploadFields = std::vector<std::pair<std::string, std::string>>;
UploadWish read_wish(const UploadFields& fields, std::string file_name, const Within& within = {},
                     client::TaskRequest preset = {});

/// Throws http::Problem 400 "type not allowed" unless the kind takes a file that begins so
/// (kTypeBytes of it, or all).
void check_type(const UploadWish& wish, std::string_view head);

/// The task. Throws http::Problem 400 where a ventilator or the kind would refuse it.
Batch task_of(const UploadWish& wish, const std::string& sha256);

/// How the file is called from then on: its name with the task's id in it, so that whoever is told
/// the name finds the task, and two files of one name are two.
std::string told_name(const UploadWish& wish, const TaskId& id);
/// Nothing: no name that was told.
std::optional<TaskId> task_in_name(std::string_view told);

}  // namespace eole::gateway
