#pragma once
#include <string>
#include <string_view>

#include "common/base/utf8.hpp"
#include "worker/handlers/handler.hpp"

namespace eole::worker {

/// Passes a task's output on, cut between characters: what begins one waits for the rest of it.
class LiveOutput {
 public:
  LiveOutput(TaskContext& context, const char* stream) : context_(context), stream_(stream) {}
  void add(std::string_view bytes) {
    held_ += bytes;
    const auto whole = held_.size() - unfinished_at_end(held_);
    if (whole > 0) context_.output(stream_, std::string_view(held_).substr(0, whole));
    held_.erase(0, whole);
  }
  void end() {
    if (!held_.empty()) context_.output(stream_, held_);
  }

 private:
  TaskContext& context_;
  const char* stream_;
  std::string held_;
};

}  // namespace eole::worker
