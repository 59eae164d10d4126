#include "clients/cpp/session/transfers.hpp"

#include <utility>

#include "common/protocol/codec.hpp"
#include "common/protocol/refusal.hpp"

namespace eole::client {

Transfers::Transfers(Session& session, const net::ClusterFile& cluster)
    : Part(session), sink_(world(), cluster.artifacts) {
  watch(sink_);
}

Transfers::Id Transfers::put(const std::string& sha256, std::uint64_t size, Source source,
                             OnEnd on_end) {
  const auto id = ++last_;
  PutCore core(id, sha256, size, world().now());
  transfers_.try_emplace(id, Transfer{core, std::move(source), {}, std::move(on_end)});
  return id;
}

Transfers::Id Transfers::get(const std::string& sha256, std::uint64_t from, OnPiece on_piece,
                             OnEnd on_end, std::uint32_t piece_bytes) {
  const auto id = ++last_;
  GetCore core(id, sha256, from, world().now(), piece_bytes);
  transfers_.try_emplace(id, Transfer{core, {}, std::move(on_piece), std::move(on_end)});
  return id;
}

Transfers::Id Transfers::hand(const std::string& file, OnHanded on_end) {
  const auto id = ++last_;
  hands_.try_emplace(id, Handing{HandCore(id, file, world().now()), std::move(on_end)});
  return id;
}

void Transfers::reach(Id id, std::uint64_t bytes, bool is_last) {
  if (const auto found = hands_.find(id); found != hands_.end())
    found->second.core.reach(bytes, is_last, world().now());
}

std::uint64_t Transfers::have(Id id) const {
  if (const auto hand = hands_.find(id); hand != hands_.end()) return hand->second.core.have();
  const auto found = transfers_.find(id);
  const auto* put = found == transfers_.end() ? nullptr : std::get_if<PutCore>(&found->second.core);
  return put == nullptr ? 0 : put->have();
}

void Transfers::turn(TimePoint now) {
  if (sink_->due())
    while (auto received = sink_->receive()) take(std::move(*received), now);
  if (sink_.is_turned_away()) refuse_all(protocol::error_of("the sink", turned_away()), now);
  std::vector<std::pair<Id, TransferActions>> due;
  for (auto& [id, transfer] : transfers_) {
    TransferActions actions;
    std::visit([&](auto& core) { core.on_deadline(now, actions); }, transfer.core);
    if (!actions.empty()) due.emplace_back(id, std::move(actions));
  }
  for (auto& [id, actions] : due) perform(id, std::move(actions), now);
  turn_hands(now);
}

void Transfers::turn_hands(TimePoint now) {
  std::vector<Id> over;
  for (auto& [id, handing] : hands_) {
    if (auto hand = handing.core.on_deadline(now)) sink_->send(protocol::encode(std::move(*hand)));
    if (handing.core.end()) over.push_back(id);
  }
  for (const auto id : over)
    if (auto handing = hands_.extract(id)) handing.mapped().on_end(*handing.mapped().core.end());
}

std::optional<TimePoint> Transfers::next_deadline() const {
  std::optional<TimePoint> first;
  for (const auto& [id, transfer] : transfers_) {
    const auto next =
        std::visit([](const auto& core) { return core.next_deadline(); }, transfer.core);
    if (next && (!first || *next < *first)) first = next;
  }
  for (const auto& [id, handing] : hands_)
    if (const auto next = handing.core.next_deadline(); next && (!first || *next < *first))
      first = next;
  return first;
}

void Transfers::take(net::Received received, TimePoint now) {
  const auto head = protocol::HeadReader::parse(received.message.head);
  if (!head) return;
  if (head->name() == protocol::PutAt::kName) {
    if (const auto at = protocol::decode<protocol::PutAt>(*head, {}))
      tell(transfer_of(at->request), PutAtReceived{*at}, now);
  } else if (head->name() == protocol::Chunk::kName) {
    if (auto chunk = protocol::decode<protocol::Chunk>(*head, std::move(received.message.payload)))
      tell(transfer_of(chunk->request), ChunkReceived{std::move(*chunk)}, now);
  } else if (head->name() == protocol::Handed::kName) {
    const auto handed = protocol::decode<protocol::Handed>(*head, {});
    if (!handed) return;
    if (const auto found = hands_.find(transfer_of(handed->request)); found != hands_.end())
      found->second.core.on_handed(*handed, now);
  } else if (head->name() == protocol::Refused::kName) {
    const auto refused = protocol::decode<protocol::Refused>(*head, {});
    if (!refused) return;
    const auto why = protocol::error_of("the sink", *refused);
    if (const auto found = hands_.find(transfer_of(refused->request)); found != hands_.end())
      return found->second.core.on_refused(why);
    if (refused->request != 0) return tell(transfer_of(refused->request), TransferRefused{why}, now);
    refuse_all(why, now);  // The sink could not read which.
  }
}

void Transfers::refuse_all(const Error& why, TimePoint now) {
  std::vector<Id> all;
  for (const auto& [id, transfer] : transfers_) all.push_back(id);
  for (const auto id : all) tell(id, TransferRefused{why}, now);
  for (auto& [id, handing] : hands_) handing.core.on_refused(why);
}

void Transfers::tell(Id id, TransferEvent event, TimePoint now) {
  const auto found = transfers_.find(id);
  if (found == transfers_.end()) return;
  TransferActions actions;
  std::visit([&](auto& core) { core.on_event(std::move(event), now, actions); },
             found->second.core);
  perform(id, std::move(actions), now);
}

void Transfers::perform(Id id, TransferActions actions, TimePoint now) {
  for (auto& action : actions) {
    const auto found = transfers_.find(id);
    if (found == transfers_.end()) return;
    if (auto* put = std::get_if<SendPut>(&action)) {
      if (put->bytes > 0) {
        auto bytes = found->second.source(put->put.offset, put->bytes);
        if (!bytes) return end(id, bytes.error());
        put->put.payload = std::move(*bytes);
      }
      sink_->send(protocol::encode(std::move(put->put)));
    } else if (auto* get = std::get_if<SendGet>(&action)) {
      sink_->send(protocol::encode(std::move(get->get)));
    } else if (const auto* piece = std::get_if<TakePiece>(&action)) {
      if (auto taken = found->second.on_piece(*piece); !taken) return end(id, taken);
      tell(id, PieceTaken{}, now);
    } else if (const auto* ended = std::get_if<TransferEnded>(&action)) {
      return end(id, ended->error ? Expected<void>(*ended->error) : Expected<void>());
    }
  }
}

// Forgotten first: who hears of it may begin another one.
void Transfers::end(Id id, const Expected<void>& outcome) {
  auto transfer = transfers_.extract(id);
  if (transfer) transfer.mapped().on_end(outcome);
}

}  // namespace eole::client
