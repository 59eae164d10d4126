#include "worker/picture/report.hpp"

#include <unistd.h>

#include "common/protocol/value.hpp"
#include "worker/picture/job.hpp"
#include "worker/runners/frames/worker_socket.hpp"

namespace eole::picture {

namespace {
constexpr std::uint64_t kOnlyRun = 1;
}  // namespace

void fail(std::string_view reason) {
  frames::WorkerSocket::send(frames::Failed{kOnlyRun, std::string(reason.substr(0, 1000)), {}});
  ::_exit(1);
}

void succeed(int width, int height, bool is_plain) {
  using protocol::Value;
  const Value value =
      Value::Map{{kWidthField, width}, {kHeightField, height}, {kPlainField, is_plain}};
  frames::WorkerSocket::send(
      frames::Done{kOnlyRun, value.to_msgpack(), {std::string(kOutputName)}});
  ::_exit(0);
}

}  // namespace eole::picture
