#include "worker/picture/report.hpp"

#include <unistd.h>

#include "common/protocol/value.hpp"
#include "worker/picture/job.hpp"
#include "worker/runners/frames/worker_socket.hpp"

namespace eole::picture {

namespace {

constexpr std::uint64_t kOnlyRun = 1;

const char* to_text(Format format) {
  return format == Format::kPng ? "png" : format == Format::kWebp ? "webp" : "jpeg";
}

}  // namespace

void fail(std::string_view reason) {
  frames::WorkerSocket::send(frames::Failed{kOnlyRun, std::string(reason.substr(0, 1000)), {}});
  ::_exit(1);
}

void succeed(const Report& report) {
  using protocol::Value;
  Value::Array made;
  std::vector<std::string> files;
  for (const auto& each : report.made) {
    files.push_back(output_name(made.size()));
    made.push_back(Value::Map{{kWidthField, each.size.width},
                              {kHeightField, each.size.height},
                              {kQualityField, each.quality}});
  }
  const Value value = Value::Map{{kFormatField, to_text(report.format)},
                                 {kKeptField, report.is_kept},
                                 {kFirstField, report.is_first_of_many},
                                 {kMadeField, std::move(made)}};
  frames::WorkerSocket::send(frames::Done{kOnlyRun, value.to_msgpack(), std::move(files)});
  ::_exit(0);
}

}  // namespace eole::picture
