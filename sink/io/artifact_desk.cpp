#include "sink/io/artifact_desk.hpp"

namespace eole::sink {

using net::Role;
using net::Sender;
using protocol::encode;

namespace {
constexpr Duration kCollectEvery = 10s;
constexpr Duration kPause = 100ms;  // Between two pieces of the directory: puts and gets go first.
}  // namespace

ArtifactDesk::ArtifactDesk(net::Socket& socket, net::Authority& authority, ArtifactShelf& shelf)
    : socket_(socket),
      store_(shelf),
      messages_("the artifacts of a sink", &authority,
                [this](const Sender& to, protocol::Refused refused) {
                  socket_.send_to(to.peer, encode(std::move(refused)));
                }) {
  const auto on_message = [this](auto& message, const Sender& from) { return on(message, from); };
  messages_.take<protocol::Put>({Role::kSubmit, Role::kWork}, on_message);
  messages_.take<protocol::Get>({Role::kObserve, Role::kWork}, on_message);
}

bool ArtifactDesk::answer_one() {
  auto received = socket_.receive();
  if (!received) return false;
  messages_.route(std::move(*received));
  return true;
}

void ArtifactDesk::collect(TimePoint now) {
  if (now < next_collection_) return;
  next_collection_ = now + (store_.collect_some() ? kPause : kCollectEvery);
}

Expected<void> ArtifactDesk::on(protocol::Put& put, const Sender& from) {
  const auto progress = store_.put(from.user, put.sha256, put.size, put.offset, put.payload);
  if (!progress) return progress.error();
  const std::uint8_t is_whole = progress->is_whole ? 1 : 0;
  socket_.send_to(from.peer, encode(protocol::PutAt{put.request, progress->have, is_whole}));
  return {};
}

Expected<void> ArtifactDesk::on(protocol::Get& get, const Sender& from) {
  auto piece = store_.get(get.sha256, get.offset, get.size);
  if (!piece) return piece.error();
  socket_.send_to(from.peer, encode(protocol::Chunk{get.request, piece->size, get.offset,
                                                    std::move(piece->bytes)}));
  return {};
}

}  // namespace eole::sink
