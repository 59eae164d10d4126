#include <poll.h>

#include <algorithm>
#include <chrono>

#include "worker/handlers/kinds.hpp"

namespace eole::worker {

Outcome run_sleep(const Value& args, TaskContext& context) {
  const double seconds = *args["seconds"].as<double>();
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  while (true) {
    const auto slept = std::chrono::duration<double>(Clock::now() - start).count();
    if (slept >= seconds) return Outcome::done(Value::Map{{"seconds", seconds}});
    if (context.is_cancelled()) return Outcome::failed("cancelled");
    context.progress(static_cast<std::uint64_t>(slept * 1000),
                     static_cast<std::uint64_t>(seconds * 1000));
    const auto left_ms = static_cast<int>(std::min(seconds - slept, 0.2) * 1000) + 1;
    pollfd watch{context.cancel_fd(), POLLIN, 0};
    ::poll(&watch, 1, left_ms);
  }
}

}  // namespace eole::worker
