#include "sink/io/artifact_server.hpp"

#include <unistd.h>

#include "common/base/text.hpp"
#include "common/process/log.hpp"
#include "common/process/system.hpp"
#include "sink/io/artifact_desk.hpp"

namespace eole::sink {

namespace {
constexpr int kWaitMs = 100;  // How soon it notices that it should stop.
constexpr int kStorageFailed = 3;
constexpr std::size_t kSyncsAtOnce = 16;
}  // namespace

ArtifactServer::ArtifactServer(net::Context& context, net::Authority& authority,
                               const std::string& endpoint, ArtifactShelf& shelf,
                               const std::string& path) {
  net::Socket socket(context, net::SocketType::kRouter);
  socket.bind(endpoint);
  thread_ = std::thread([this, &authority, &shelf, path, moved = std::move(socket)]() mutable {
    serve(std::move(moved), authority, shelf, path);
  });
}

ArtifactServer::~ArtifactServer() {
  should_stop_ = true;
  if (thread_.joinable()) thread_.join();
}

void ArtifactServer::serve(net::Socket socket, net::Authority& authority, ArtifactShelf& shelf,
                           const std::string& path) {
  process::leave_core();
  try {
    ArtifactDesk desk(socket, authority, shelf, path, kSyncsAtOnce);
    while (!should_stop_) {
      if (!desk.answer_one() && !desk.look_ahead()) socket.wait(kWaitMs);
      desk.collect(process::now());
    }
  } catch (const std::exception& error) {  // The disk failed: the whole sink ends at once.
    process::log_error(text("artifacts: ", error.what()));
    ::_exit(kStorageFailed);
  }
}

}  // namespace eole::sink
