#include "tests/simulation/clients.hpp"

#include "common/base/seq_ranges.hpp"
#include "common/base/text.hpp"
#include "common/protocol/task_class.hpp"
#include "tests/simulation/fabric.hpp"
#include "tests/simulation/task_bodies.hpp"

namespace eole::simulation {

namespace {
constexpr Duration kForEver = 10'000s;  // Longer than any run: whatever is asked is answered.
}

SimClient::SimClient(Fabric& fabric, SimVentilator& ventilator, int number)
    : Process(fabric, text("client", number)),
      ventilator_(ventilator),
      transport_(fabric, *this),
      session_(transport_),
      wanted_(static_cast<std::uint64_t>(fabric.weather.submits)),
      is_operator_(number % 10 == 1) {}

void SimClient::boot() {
  const auto& cluster = ventilator_.cluster();
  submits_.emplace(session_, cluster, kForEver,
                   [this](const client::SubmitEnded& ended) { on_end(ended); });
  asks_.emplace(session_, cluster.ventilator, "the ventilator");
  if (is_operator_ && fabric_.world.chance(0.3)) set_up_beats();
  // Nothing was submitted before the cap holds.
  if (is_operator_ && fabric_.weather.clients == 1 && fabric_.world.chance(0.4)) return cap_some();
  after(fabric_.world.between(Duration(0), 2s), [this] { submit_next(); });
}

void SimClient::cap_some() {
  const auto most = 1 + fabric_.world.below(3);
  const auto on_answer = [this, most](const Expected<protocol::Value>& answer) {
    if (answer) fabric_.ledger.on_cap(ventilator_.origin(), "work", most);
    submit_next();
  };
  const protocol::Value limit = protocol::Value::Map{{"scope", "kind:work"}, {"running", most}};
  asks_->ask(protocol::Control{0, "limit", limit.to_msgpack()}, on_answer, kForEver);
  wake();
}

std::optional<TimePoint> SimClient::turn() {
  session_.turn();
  return session_.next_turn();
}

void SimClient::submit_next() {
  if (accepted_ == wanted_) return;
  if (accepted_ + bodies_.size() < wanted_ && submits_->has_room()) submit();
  wake();
  after(fabric_.world.between(1ms, 2s), [this] { submit_next(); });
}

void SimClient::submit() {
  auto& world = fabric_.world;
  protocol::Submit submit;
  submit.count = 1 + static_cast<std::uint32_t>(world.below(8));
  std::vector<std::string> bodies;
  protocol::TaskGroups groups;
  for (std::uint32_t i = 0; i < submit.count; ++i) {
    std::string body = world.chance(fabric_.weather.poison)    ? std::string(kPoison)
                       : world.chance(fabric_.weather.failing) ? std::string(kFailing)
                       : world.chance(fabric_.weather.making)  ? std::string(kMaking)
                                                               : "plain";
    body += text(" ", name(), ".", world.draw(), std::string(world.below(300), 'x'));
    const bool may_be_quick = !body.starts_with(kPoison) && !body.starts_with(kMaking);
    const bool is_quick = may_be_quick && world.chance(0.3);
    // In a slot it is lost instead, which is tried again unasked.
    const bool retry = body.starts_with(kFailing) && (is_quick || body.size() % 2 == 0);
    protocol::TaskClass task_class{is_quick ? "quick" : "work", text("p", world.below(2)), 0,
                                   static_cast<std::uint8_t>(retry ? 1 : 0)};
    if (!is_quick && body.starts_with("plain") && world.chance(0.1)) task_class.timeout_ms = 300;
    body += class_mark(task_class.kind, task_class.project);
    groups.add(task_class, body);
    bodies.push_back(std::move(body));
  }
  bodies_[submits_->submit(submit, std::make_shared<const Bytes>(groups.take()))] =
      std::move(bodies);
}

void SimClient::on_end(const client::SubmitEnded& ended) {
  const auto bodies = bodies_.extract(ended.request);
  if (!bodies) throw Violation{text(name(), ": a submit was answered twice")};
  if (ended.error) {
    if (ended.error->is_silence) throw Violation{text(name(), ": ", ended.error->message)};
    return;
  }
  if (accepted_++ == 0 && is_operator_ && fabric_.world.chance(0.5)) {
    origin_ = ended.origin;
    paused_ = text("p", fabric_.world.below(2));
    after(fabric_.world.between(Duration(0), 10s), [this] { pause_some(); });
  }
  for (std::uint32_t i = 0; i < ended.count; ++i) {
    const TaskId id{ended.origin, ended.first + i};
    fabric_.ledger.on_answer(id, bodies.mapped()[i]);
    if (!fabric_.world.chance(fabric_.weather.cancelled)) continue;
    ++cancels_;
    after(fabric_.world.between(Duration(0), 3s), [this, id] { cancel(id); });
  }
}

void SimClient::cancel(const TaskId& id) {
  SeqRanges seqs;
  seqs.add(id.seq, id.seq);
  const auto on_answer = [this](const Expected<protocol::Value>&) { --cancels_; };
  asks_->ask(protocol::Cancel{0, id.origin, seqs.encode()}, on_answer, kForEver);
  wake();
}

void SimClient::pause_some() {
  const auto on_answer = [this](const Expected<protocol::Value>& answer) {
    if (answer) fabric_.ledger.on_paused(origin_, paused_);  // A full disk refuses it.
    after(fabric_.world.between(Duration(0), 10s), [this] { resume(); });
  };
  protocol::Control pause{0, "pause", {}};
  pause.payload = protocol::Value(protocol::Value::Map{{"scope", "project:" + paused_}}).to_msgpack();
  asks_->ask(std::move(pause), on_answer, kForEver);
  wake();
}

void SimClient::ask_for_beats(protocol::Value schedule, client::Asks::OnAnswer on_answer) {
  schedule.set("name", "beat");
  asks_->ask(protocol::Control{0, "schedule", schedule.to_msgpack()}, std::move(on_answer),
             kForEver);
  wake();
}

void SimClient::set_up_beats() {
  has_beats_ = true;
  protocol::TaskGroups groups;
  const protocol::TaskClass task_class{"work", std::string(kBeats), 0, 0};
  groups.add(task_class, "plain beat" + class_mark(task_class.kind, task_class.project));
  ask_for_beats(protocol::Value::Map{{"state", "added"},
                                     {"every_ms", 1'000 + fabric_.world.below(5'000)},
                                     {"missed", fabric_.world.chance(0.5) ? "once" : "skip"},
                                     {"task", protocol::Blob{groups.take()}}},
                [this](const auto&) { end_beats(); });
}

// Again and again: a copy of what set it up may come after it.
void SimClient::end_beats() {
  if (fabric_.is_rough()) return after(1s, [this] { end_beats(); });
  // Refused if a full disk refused the schedule.
  ask_for_beats(protocol::Value::Map{{"state", "paused"}}, [this](const auto&) {
    has_beats_ = false;
    after(5s, [this] { end_beats(); });
  });
}

// Again and again: a copy of the pause may come after it.
void SimClient::resume() {
  fabric_.ledger.on_resumed(origin_, paused_);
  const auto on_answer = [this](const Expected<protocol::Value>& answer) {
    is_resumed_ = is_resumed_ || (answer && !fabric_.is_rough());
    after(5s, [this] { resume(); });
  };
  protocol::Control resume{0, "resume", {}};
  resume.payload =
      protocol::Value(protocol::Value::Map{{"scope", "project:" + paused_}}).to_msgpack();
  asks_->ask(std::move(resume), on_answer, kForEver);
  wake();
}

SimSubscriber::SimSubscriber(Fabric& fabric, SimSink& sink, Pace pace, int number)
    : Process(fabric, text("subscriber", number)), sink_(sink), pace_(pace) {}

bool SimSubscriber::is_up_to_date() const {
  return pace_ == Pace::kDead || (sink_.is_alive() && cursor_.offset == sink_.head());
}

void SimSubscriber::boot() {
  transport_.emplace(fabric_, *this);
  session_.emplace(*transport_);
  client::ReaderCallbacks callbacks;
  callbacks.on_batch = [this](const client::TakeBatch& taken) { take(taken); };
  callbacks.on_trouble = [this](const Error& error, bool is_over) {
    if (!is_over) return;
    starts_again_ = sink_.mends(error.message) || sink_.was_mended();
    if (!starts_again_) throw Violation{"a subscriber cannot read on: " + error.message};
  };
  callbacks.on_gone = [this](const Error&, std::uint64_t kept_from) {
    if (kept_from <= cursor_.offset || kept_from > sink_.kept_from())
      throw Violation{text(name(), " at ", cursor_.offset, " is sent on to ", kept_from)};
    cursor_ = {cursor_.log, kept_from, 0};
    starts_again_ = true;
  };
  reader_.emplace(*session_, sink_.cluster(), cursor_, std::move(callbacks));
}

void SimSubscriber::die() {
  reader_.reset();
  session_.reset();
  transport_.reset();
}

std::optional<TimePoint> SimSubscriber::turn() {
  if (pace_ == Pace::kDead && fabric_.world.now() > TimePoint(10s)) return std::nullopt;
  session_->turn();
  if (std::exchange(starts_again_, false)) throw ProcessEnds{"starts again"};
  if (pace_ == Pace::kSlow && fabric_.is_rough()) pause(fabric_.world.between(1s, 5s));
  return session_->next_turn();
}

void SimSubscriber::take(const client::TakeBatch& taken) {
  fabric_.ledger.on_served(taken.behind.log, taken.batch);
  const auto batch = protocol::read_batch(taken.batch);
  if (batch->first_offset != cursor_.offset)
    throw Violation{text(name(), " at ", cursor_.offset, " was given ", batch->first_offset)};
  cursor_ = taken.behind;
  reader_->taken(taken.batch.size());
  starts_again_ = fabric_.is_rough() && fabric_.world.chance(0.02);
}

}  // namespace eole::simulation
