#include "sink/io/artifact_desk.hpp"

#include <utility>

namespace eole::sink {

using net::Role;
using net::Sender;
using protocol::encode;

namespace {
constexpr Duration kCollectEvery = 10s;
constexpr std::size_t kTakenMax =
    64;                             // Messages that those wait for whose files are to be durable.
constexpr Duration kPause = 100ms;  // Between two pieces of the directory: puts and gets go first.
}  // namespace

ArtifactDesk::ArtifactDesk(net::Socket& socket, net::Authority& authority, ArtifactShelf& shelf,
                           std::string path, std::size_t syncs_at_once)
    : socket_(socket),
      store_(shelf, syncs_at_once),
      messages_("the artifacts of a sink", &authority,
                [this](const Sender& to, protocol::Refused refused) {
                  socket_.send_to(to.peer, encode(std::move(refused)));
                }),
      path_(std::move(path)) {
  const auto on_message = [this](auto& message, const Sender& from) { return on(message, from); };
  messages_.take<protocol::Put>({Role::kSubmit, Role::kWork}, on_message);
  messages_.take<protocol::Get>({Role::kObserve, Role::kWork}, on_message);
  messages_.take<protocol::Hand>({Role::kSubmit, Role::kWork}, on_message);
}

bool ArtifactDesk::answer_one() {
  auto received = socket_.receive();
  if (!unanswered_.empty() && (!received || ++taken_since_ > kTakenMax)) commit();
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
  answer(from.peer, encode(protocol::PutAt{put.request, progress->have, is_whole}),
         progress->is_whole);
  return {};
}

Expected<void> ArtifactDesk::on(protocol::Get& get, const Sender& from) {
  auto piece = store_.get(get.sha256, get.offset, get.size);
  if (!piece) return piece.error();
  socket_.send_to(from.peer, encode(protocol::Chunk{get.request, piece->size, get.offset,
                                                    std::move(piece->bytes)}));
  return {};
}

// Over ipc alone: who is at its other end is this user, who may write here anyway.
Expected<void> ArtifactDesk::on(protocol::Hand& hand, const Sender& from) {
  if (path_.empty() || !from.user.empty())
    return Error{"hand: only on the sink's machine, over ipc"};
  if (hand.file.empty()) {
    socket_.send_to(from.peer, encode(protocol::Handed{hand.request, 0, {}, path_}));
    return {};
  }
  auto looked = store_.hand(hand.file, hand.size, hand.is_last != 0);
  if (!looked) return looked.error();
  protocol::Handed handed{hand.request, looked->have, std::move(looked->sha256), {}};
  const bool is_whole = !handed.sha256.empty();
  answer(from.peer, encode(std::move(handed)), is_whole);
  return {};
}

// What says that an artifact is whole waits until it is durable (rule R4).
void ArtifactDesk::answer(const std::string& peer, protocol::Message message, bool is_whole) {
  if (is_whole && store_.uncommitted() > 0) {
    unanswered_.push_back({peer, std::move(message)});
  } else {
    socket_.send_to(peer, std::move(message));
  }
}

void ArtifactDesk::commit() {
  store_.commit();
  taken_since_ = 0;
  for (auto& [peer, message] : std::exchange(unanswered_, {}))
    socket_.send_to(peer, std::move(message));
}

}  // namespace eole::sink
