#include "sink/io/artifact_server.hpp"

#include "common/base/text.hpp"
#include "common/net/router.hpp"
#include "common/process/log.hpp"
#include "common/process/system.hpp"
#include "common/protocol/codec.hpp"
#include "common/protocol/messages.hpp"
#include "sink/io/artifacts.hpp"

namespace eole::sink {

using net::Role;
using protocol::encode;

namespace {

constexpr int kWaitMs = 100;  // How soon it notices that it should stop.

}  // namespace

ArtifactServer::ArtifactServer(net::Context& context, net::Authority& authority,
                               const std::string& endpoint, storage::Directory& directory) {
  net::Socket socket(context, net::SocketType::kRouter);
  socket.bind(endpoint);
  thread_ = std::thread([this, &authority, &directory, moved = std::move(socket)]() mutable {
    serve(std::move(moved), authority, directory);
  });
}

ArtifactServer::~ArtifactServer() {
  should_stop_ = true;
  if (thread_.joinable()) thread_.join();
}

// Uploads and downloads, answered one by one.
class ArtifactServer::Desk {
 public:
  Desk(net::Socket& socket, net::Authority& authority, storage::Directory& directory)
      : socket_(socket),
        store_(directory),
        messages_("the artifacts of a sink", &authority,
                  [this](const net::Sender& to, protocol::Refused refused) {
                    socket_.send_to(to.peer, encode(std::move(refused)));
                  }) {
    const auto on_message = [this](auto& message, const net::Sender& from) {
      return on(message, from);
    };
    messages_.take<protocol::Put>({Role::kSubmit, Role::kWork}, on_message);
    messages_.take<protocol::Get>({Role::kObserve, Role::kWork}, on_message);
  }
  void take(net::Received&& received) { messages_.route(std::move(received)); }

 private:
  Expected<void> on(protocol::Put& put, const net::Sender& from) {
    const auto progress = store_.put(put.sha256, put.size, put.offset, put.payload);
    if (!progress) return progress.error();
    const std::uint8_t is_whole = progress->is_whole ? 1 : 0;
    socket_.send_to(from.peer, encode(protocol::PutAt{put.request, progress->have, is_whole}));
    return {};
  }
  Expected<void> on(protocol::Get& get, const net::Sender& from) {
    auto piece = store_.get(get.sha256, get.offset, get.size);
    if (!piece) return piece.error();
    socket_.send_to(from.peer, encode(protocol::Chunk{get.request, piece->size, get.offset,
                                                      std::move(piece->bytes)}));
    return {};
  }

  net::Socket& socket_;
  ArtifactStore store_;
  net::Router messages_;
};

void ArtifactServer::serve(net::Socket socket, net::Authority& authority,
                           storage::Directory& directory) {
  process::leave_core();
  try {
    Desk desk(socket, authority, directory);
    while (!should_stop_) {
      if (auto received = socket.receive()) {
        desk.take(std::move(*received));
      } else {
        socket.wait(kWaitMs);
      }
    }
  } catch (const std::exception& error) {
    process::log_error(text("artifacts: ", error.what()));
    has_failed_ = true;
  }
}

}  // namespace eole::sink
