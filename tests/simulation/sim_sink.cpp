#include "common/base/text.hpp"
#include "tests/simulation/fabric.hpp"
#include "tests/simulation/segment_bytes.hpp"

namespace eole::simulation {

SimSink::SimSink(Fabric& fabric, int number, std::uint64_t disk_seed)
    : Server(fabric, text("sink", number), disk_seed) {}

void SimSink::boot() {
  directory_ = disk.open();
  log_.emplace(*directory_, storage::StoreOptions{.segment_bytes = kSegmentBytes,
                                                  .entropy = fabric_.world.draw()});
  artifacts_.emplace(*directory_);
  published_to_ = log_->core().head();
  // What recovery shows is durable, also what was written and not acknowledged before the end.
  protocol::Read read{0, 0, 0, 0, UINT32_MAX};
  while (read.offset < published_to_) {
    const auto records = log_->read(read);
    ByteReader reader(records->payload);
    while (!reader.is_done()) {
      const auto batch = reader.take(reader.get<std::uint32_t>());
      fabric_.ledger.on_durable(log_->core().log(), batch);
      check_artifacts(batch);
    }
    read.offset = records->next;
  }
}

void SimSink::die() {
  actions_.clear();
  artifacts_.reset();
  log_.reset();
  directory_.reset();
}

void SimSink::on_event(sink::Event event) {
  if (!std::holds_alternative<sink::IntroduceReceived>(event) && log_->is_full()) return;
  if (auto* results = std::get_if<sink::ResultsReceived>(&event))
    results->missing = sink::missing_artifacts(results->results.payload, *directory_);
  log_->core().on_event(event, actions_);
}

void SimSink::perform() {
  if (actions_.empty()) return;
  log_->write(actions_);
  const auto actions = std::exchange(actions_, {});
  for (const auto& action : actions)  // What one message let in and another repeats.
    if (const auto* append = std::get_if<sink::AppendBatch>(&action)) {
      fabric_.ledger.on_durable(log_->core().log(), append->batch);
      check_artifacts(append->batch);
    }
  for (const auto& action : actions) act(action);
}

void SimSink::act(const sink::Action& action) {
  if (const auto* append = std::get_if<sink::AppendBatch>(&action)) {
    publish_settled(append->batch);
  } else if (const auto* ack = std::get_if<sink::PublishAck>(&action)) {
    fabric_.ledger.on_ack(ack->run, ack->level);
    const protocol::Ack message{log_->core().log(), ack->run, ack->level};
    for (const auto& worker : fabric_.workers)
      if (worker->run() == ack->run)
        fabric_.send(*this, *worker,
                     [&worker, message] { worker->on_event(worker::AckReceived{message}); });
  } else if (const auto* reply = std::get_if<sink::Reply>(&action)) {
    const auto* introduced = std::get_if<protocol::Introduced>(&reply->message);
    if (introduced == nullptr) {
      fabric_.world.trace("sink refuses: " + std::get<protocol::Refused>(reply->message).reason);
      return;
    }
    SeqRanges settled;
    settled.decode(introduced->payload);
    for (const auto& ventilator : fabric_.ventilators)
      if (ventilator->name() == reply->peer)
        fabric_.send(*this, *ventilator, [&ventilator, message = *introduced, settled] {
          ventilator->on_event(ventilator::IntroducedReceived{
              static_cast<std::uint32_t>(message.request), message.log, message.offset, settled});
        });
  }
}

Expected<sink::ArtifactStore::Progress> SimSink::on_put(const std::string& sha256,
                                                        std::uint64_t size, std::uint64_t offset,
                                                        std::string_view bytes) {
  return artifacts_->put(sha256, size, offset, bytes);
}

// What a durable result names is there, whole.
void SimSink::check_artifacts(std::string_view encoded) const {
  const auto batch = protocol::read_batch(encoded);
  protocol::ResultReader reader(batch->records);
  for (std::uint32_t i = 0; i < batch->count; ++i) {
    const auto result = reader.next();
    if (result->artifacts.empty()) continue;
    const auto piece = artifacts_->get(hex(result->artifacts), 0, 1 << 20);
    if (!piece || process::sha256(piece->bytes) != result->artifacts)
      throw Violation{
          text(to_text(result->id), " names an artifact that is not whole in the sink")};
  }
}

void SimSink::publish_settled(std::string_view encoded) {
  const auto batch = protocol::read_batch(encoded);
  const auto head = batch->first_offset + batch->count;
  const protocol::Settled news{0, log_->core().log(), published_to_, head, log_->core().head(), {}};
  published_to_ = head;
  for (const auto& ventilator : fabric_.ventilators) {
    if (&ventilator->sink() != this) continue;
    protocol::Settlement settlement;
    sink::project(*batch, ventilator->origin(), settlement);
    fabric_.send(*this, *ventilator, [&ventilator, news, settlement] {
      ventilator->on_event(ventilator::SettledReceived{news, settlement});
    });
  }
}

void SimSink::turn() {
  perform();
  if (fabric_.world.chance(0.3)) log_->rest();
  const auto now = fabric_.world.now();
  if (now < next_head_) return;
  next_head_ = now + 1s;
  const protocol::Settled news{0, log_->core().log(), published_to_, published_to_, published_to_,
                               {}};
  for (const auto& ventilator : fabric_.ventilators)
    if (&ventilator->sink() == this)
      fabric_.send(*this, *ventilator, [&ventilator, news] {
        ventilator->on_event(ventilator::SettledReceived{news, {}});
      });
}

void SimSink::on_follow(SimVentilator& from, const protocol::Follow& follow) {
  perform();
  const auto why = log_->core().origins().why_not_followed(follow.origin, follow.nonce);
  if (why && follow.log == log_->core().log()) {
    fabric_.world.trace("sink refuses: " + *why);  // Of a life that is over.
    return;
  }
  const auto answer = log_->follow(follow);
  if (!answer) throw Violation{"the sink refused its own follower: " + answer.error().message};
  const auto settlement = protocol::decode_settlement(answer->payload);
  fabric_.send(*this, from, [&from, settled = *answer, list = *settlement] {
    from.on_event(ventilator::SettledReceived{settled, list});
  });
}

void SimSink::on_read(const protocol::Read& read,
                      const std::function<void(const protocol::Records&)>& answer) {
  perform();
  const auto records = log_->read(read);
  if (!records) throw Violation{"a subscriber's cursor was refused: " + records.error().message};
  answer(*records);
}

}  // namespace eole::simulation
