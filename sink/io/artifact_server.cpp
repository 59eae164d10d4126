#include "sink/io/artifact_server.hpp"

#include "common/base/text.hpp"
#include "common/process/log.hpp"
#include "common/process/system.hpp"
#include "common/protocol/codec.hpp"
#include "common/protocol/messages.hpp"
#include "sink/io/artifacts.hpp"

namespace eole::sink {

using net::Role;
using protocol::decode;
using protocol::encode;

namespace {

constexpr int kWaitMs = 100;  // How soon it notices that it should stop.

protocol::Message answer(const net::Received& received, net::Authority& authority,
                         ArtifactStore& store) {
  auto head = protocol::HeadReader::parse(received.message.head);
  if (!head) return encode(protocol::Refused{0, head.error().message});
  const bool may_read = authority.allows(received.user, Role::kObserve) ||
                        authority.allows(received.user, Role::kWork);
  const bool may_write = authority.allows(received.user, Role::kSubmit) ||
                         authority.allows(received.user, Role::kWork);
  if (head->name() == protocol::Put::kName) {
    const auto put = decode<protocol::Put>(*head, received.message.payload);
    if (!put) return encode(protocol::Refused{0, put.error().message});
    if (!may_write)
      return encode(
          protocol::Refused{put->request, "put: this key has neither role submit nor work"});
    const auto progress = store.put(put->sha256, put->size, put->offset, put->payload);
    if (!progress) return encode(protocol::Refused{put->request, progress.error().message});
    return encode(protocol::PutAt{put->request, progress->have,
                                  static_cast<std::uint8_t>(progress->is_whole ? 1 : 0)});
  }
  if (head->name() == protocol::Get::kName) {
    const auto get = decode<protocol::Get>(*head, received.message.payload);
    if (!get) return encode(protocol::Refused{0, get.error().message});
    if (!may_read)
      return encode(
          protocol::Refused{get->request, "get: this key has neither role observe nor work"});
    auto piece = store.get(get->sha256, get->offset, get->size);
    if (!piece) return encode(protocol::Refused{get->request, piece.error().message});
    return encode(protocol::Chunk{get->request, piece->size, get->offset, std::move(piece->bytes)});
  }
  return encode(protocol::Refused{0, text("message ", head->name(), " is not about artifacts")});
}

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

void ArtifactServer::serve(net::Socket socket, net::Authority& authority,
                           storage::Directory& directory) {
  process::leave_core();
  try {
    ArtifactStore store(directory);
    while (!should_stop_) {
      const auto received = socket.receive();
      if (!received) {
        socket.wait(kWaitMs);
        continue;
      }
      socket.send_to(received->peer, answer(*received, authority, store));
    }
  } catch (const std::exception& error) {
    process::log_error(text("artifacts: ", error.what()));
    has_failed_ = true;
  }
}

}  // namespace eole::sink
