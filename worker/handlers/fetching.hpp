#pragma once
#include <functional>
#include <string>

#include "worker/handlers/handler.hpp"
#include "worker/handlers/http_transfer.hpp"

namespace eole::worker {

/// How the requests for a file went.
struct FetchEnd : TransferEnd {
  bool is_one_answer = false;  // All of it came in one.
};

/// What is asked for, and how.
struct FetchOptions {
  std::string url;
  TransferLimits limits;
  Stretch stretch{};
  bool may_divide = true;  // Over several connections, where that is faster.
};

/// Asks what there is to fetch: which version, and how large.
FetchEnd fetch_head(const FetchOptions& options, TaskContext& context, Version& version);

/// Asks for what is missing of `part`, over as many connections as make it faster, until it is
/// whole or a request that everything rests on failed. `on_step`: called often meanwhile.
FetchEnd fetch(const FetchOptions& options, PartFile& part, TaskContext& context,
               const std::function<void()>& on_step);

}  // namespace eole::worker
