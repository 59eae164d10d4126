#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "clients/cpp/tasks/task_request.hpp"
#include "gateway/core/http/problem.hpp"

namespace eole::gateway {

constexpr std::size_t kTasksBytesMax = 8 << 20;  // Of a body that is not read line by line.

/// Tasks as one submit carries them.
struct Batch {
  Bytes groups;
  std::uint32_t count = 0;
};

/// The tasks of a JSON body: an object, or an array of them; what one leaves out is as in `preset`.
/// Throws http::Problem 400 whose errors point at what is wrong.
Batch read_json_tasks(std::string_view body, const client::TaskRequest& preset = {});

/// One task that stands somewhere in a body: at `pointer`. Throws as read_json_tasks does.
Batch read_task(const protocol::Value& written, const std::string& pointer,
                const client::TaskRequest& preset);

/// Throws as read_task does, but what the task waits for may be anything.
void check_task(const protocol::Value& written, const std::string& pointer,
                const client::TaskRequest& preset);

/// Tasks whose parents are known already. Throws http::Problem 400.
Batch encode_tasks(const std::vector<client::TaskRequest>& tasks);

/// Tasks of a body of lines (NDJSON), however it is cut. Pure.
class LineTasks {
 public:
  static constexpr std::size_t kBatchBytesMax = 4 << 20;
  static constexpr std::uint32_t kBatchTasksMax = 65'536;
  static constexpr std::size_t kBadMax = 20;  // Lines that are told; none is read behind them.

  /// What a line leaves out is as in `preset`.
  explicit LineTasks(client::TaskRequest preset = {}) : preset_(std::move(preset)) {}

  /// More of the body, until is_full(): then take(), and feed what is left. How much was read.
  std::size_t feed(std::string_view piece);
  /// The body is over.
  void finish();
  bool is_full() const {
    return tasks_.size() >= kBatchTasksMax || bytes_ >= kBatchBytesMax || bad_.size() >= kBadMax;
  }
  /// What was read since the last time; parents that are told by name are among these. Throws
  /// http::Problem 400 with the numbers of bad lines.
  Batch take();

 private:
  void read(std::string_view line);

  client::TaskRequest preset_;
  std::string rest_;  // Of a line that is not whole.
  std::uint64_t lines_ = 0;
  std::size_t bytes_ = 0;
  std::vector<client::TaskRequest> tasks_;
  std::vector<http::Problem::At> bad_;
};

}  // namespace eole::gateway
