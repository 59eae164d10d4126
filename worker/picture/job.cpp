#include "worker/picture/job.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/base/text.hpp"
#include "common/kinds/image.hpp"
#include "common/protocol/value.hpp"
#include "worker/picture/report.hpp"
#include "worker/runners/frames/worker_socket.hpp"

namespace eole::picture {

namespace {

frames::Run take_run() {
  frames::WorkerSocket worker;
  if (!worker.introduce(kinds::kImage.name)) ::_exit(1);
  while (true) {
    auto frame = worker.next();
    if (!frame || (!*frame && !worker.receive())) ::_exit(1);
    if (!*frame) continue;
    if (auto* run = std::get_if<frames::Run>(&**frame)) return std::move(*run);
  }
}

void open_as(int there, const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0 || ::dup2(fd, there) < 0)
    fail(text("its files cannot be opened: ", std::strerror(errno)));
  ::close(fd);
}

}  // namespace

Job take_job() {
  const auto run = take_run();
  const auto args = protocol::Value::from_msgpack(run.args);
  if (!args) fail(args.error().message);
  const auto number = [&](const char* field) { return static_cast<int>((*args)[field].int_or(0)); };
  open_as(kInput, (*args)[kInputField].text_or(""), O_RDONLY);
  open_as(kOutput, text(run.directory, "/", kOutputName), O_WRONLY | O_CREAT | O_EXCL);
  return {number(kQualityField), number(kWidthField), number(kHeightField)};
}

}  // namespace eole::picture
