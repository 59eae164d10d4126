#include "tests/simulation/clients.hpp"

#include "common/base/crc32c.hpp"
#include "common/base/text.hpp"
#include "common/protocol/codec.hpp"
#include "tests/simulation/fabric.hpp"
#include "tests/simulation/task_bodies.hpp"

namespace eole::simulation {

SimClient::SimClient(Fabric& fabric, SimVentilator& ventilator, int number)
    : fabric_(fabric),
      name_(text("client", number)),
      transport_(fabric, *this),
      socket_(transport_.open(net::SocketType::kDealer)),
      run_(fabric.world.draw()),
      wanted_(static_cast<std::uint64_t>(fabric.weather.submits)) {
  socket_.connect(ventilator.cluster().ventilator);
}

void SimClient::begin() {
  fabric_.world.after(fabric_.world.between(Duration(0), 2s), [this] { submit_next(); });
}

void SimClient::submit_next() {
  if (sent_ == wanted_) return;
  auto& world = fabric_.world;
  protocol::Submit submit;
  submit.run = run_;
  submit.request = ++sent_;
  submit.confirmed = open_.empty() ? submit.request - 1 : open_.begin()->first - 1;
  submit.count = 1 + static_cast<std::uint32_t>(world.below(8));
  for (std::uint32_t i = 0; i < submit.count; ++i) {
    std::string body = world.chance(fabric_.weather.poison)    ? std::string(kPoison)
                       : world.chance(fabric_.weather.failing) ? std::string(kFailing)
                       : world.chance(fabric_.weather.making)  ? std::string(kMaking)
                                                               : "plain";
    body += text(" ", name_, ".", submit.request, ".", i, std::string(world.below(300), 'x'));
    const bool may_be_quick = !body.starts_with(kPoison) && !body.starts_with(kMaking);
    const bool is_quick = may_be_quick && world.chance(0.3);
    // In a slot it is lost instead, which is tried again unasked.
    const bool retry = body.starts_with(kFailing) && (is_quick || body.size() % 2 == 0);
    protocol::put_task_spec(submit.payload, {retry, is_quick ? "quick" : "work", "", body});
    bodies_[submit.request].push_back(std::move(body));
  }
  const auto request = submit.request;
  open_.emplace(request, std::move(submit));
  send(request);
  world.after(world.between(1ms, 2s), [this] { submit_next(); });
}

void SimClient::send(std::uint64_t request) {
  const auto found = open_.find(request);
  if (found == open_.end()) return;
  socket_.send(encode(found->second));
  fabric_.world.after(1s, [this, request] { send(request); });
}

// Refused: it asks again later.
void SimClient::wake() {
  while (auto received = socket_.receive()) {
    const auto head = protocol::HeadReader::parse(received->message.head);
    if (head->name() != protocol::Accepted::kName) continue;
    const auto accepted =
        *protocol::decode<protocol::Accepted>(*head, std::move(received->message.payload));
    ByteReader reader(accepted.payload);
    while (const auto acceptance = protocol::read_acceptance(reader))
      on_accepted(accepted.origin, *acceptance);
  }
}

void SimClient::on_accepted(Origin origin, const protocol::Acceptance& accepted) {
  const auto found = open_.find(accepted.request);
  if (found == open_.end() || found->second.count != accepted.count) return;
  const auto& bodies = bodies_[accepted.request];
  auto& world = fabric_.world;
  for (std::uint32_t i = 0; i < accepted.count; ++i) {
    const TaskId id{origin, accepted.first + i};
    fabric_.ledger.on_answer(id, bodies[i]);
    if (!world.chance(fabric_.weather.cancelled)) continue;
    world.after(world.between(Duration(0), 3s), [this, id] {
      SeqRanges seqs;
      seqs.add(id.seq, id.seq);
      socket_.send(encode(protocol::Cancel{1, id.origin, seqs.encode()}));
    });
  }
  open_.erase(found);
  ++answered_;
}

SimSubscriber::SimSubscriber(Fabric& fabric, SimSink& sink, Pace pace, int number)
    : fabric_(fabric),
      sink_(sink),
      pace_(pace),
      name_(text("subscriber", number)),
      transport_(fabric, *this),
      socket_(transport_.open(net::SocketType::kDealer)) {
  socket_.connect(sink.cluster().queries);
}

void SimSubscriber::begin() { poll(); }

bool SimSubscriber::is_up_to_date() const {
  return pace_ == Pace::kDead || (sink_.is_alive() && offset_ == sink_.head());
}

void SimSubscriber::poll() {
  auto& world = fabric_.world;
  if (pace_ == Pace::kDead && world.now() > TimePoint(10s)) return;
  const std::uint32_t bytes_max = pace_ == Pace::kSlow ? 1 : 4096;
  socket_.send(encode(protocol::Read{1, log_, offset_, crc_, bytes_max}));
  world.after(pace_ == Pace::kSlow && fabric_.is_rough() ? world.between(1s, 5s) : Duration(700ms),
              [this] { poll(); });
}

void SimSubscriber::wake() {
  while (auto received = socket_.receive()) {
    const auto head = protocol::HeadReader::parse(received->message.head);
    if (const auto refused = protocol::decode<protocol::Refused>(*head, {});
        head->name() == protocol::Refused::kName)
      throw Violation{"a subscriber's cursor was refused: " + refused->reason};
    on_records(*protocol::decode<protocol::Records>(*head, std::move(received->message.payload)));
  }
}

void SimSubscriber::on_records(const protocol::Records& records) {
  ByteReader reader(records.payload);
  while (!reader.is_done()) {
    const auto encoded = reader.take(reader.get<std::uint32_t>());
    fabric_.ledger.on_served(records.log, encoded);
    const auto batch = protocol::read_batch(encoded);
    if (batch->first_offset < offset_) continue;  // Of an answer that came twice.
    if (batch->first_offset > offset_)
      throw Violation{text(name_, " at ", offset_, " was served ", batch->first_offset)};
    offset_ += batch->count;
    crc_ = crc32c(encoded);
    log_ = records.log;
  }
}

}  // namespace eole::simulation
