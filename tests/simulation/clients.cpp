#include "tests/simulation/clients.hpp"

#include <algorithm>

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
      draw_(fabric, name()),
      wanted_(static_cast<std::uint64_t>(fabric.weather.submits)),
      is_operator_(number % 10 == 1) {}

void SimClient::boot() {
  auto& world = fabric_.world;
  const auto& cluster = ventilator_.cluster();
  submits_.emplace(session_, cluster, kForEver,
                   [this](const client::SubmitEnded& ended) { on_end(ended); });
  asks_.emplace(session_, cluster.ventilator, "the ventilator");
  holds_.emplace(fabric_, *this, *asks_);
  beats_.emplace(fabric_, *this, *asks_);
  sink_.emplace(session_, cluster.queries, "the sink");
  tracked_.emplace(fabric_, *this, *asks_, *sink_, [this](std::string body, Plan plan) {
    do_anew({std::move(body), std::move(plan)});
  });
  tenant_.emplace(fabric_, *this, *asks_, *sink_, [this](std::string body, Plan plan) {
    if (submits_->has_room())
      anew_.insert(submit({{std::move(body), std::move(plan)}}, Tenant::kPrefix));
  });
  rivals_.emplace(
      fabric_, *this, *asks_,
      [this](std::vector<TaskDraw::Drawn> tasks) {
        if (!submits_->has_room()) return std::uint64_t{0};
        return *anew_.insert(submit(std::move(tasks))).first;
      },
      [this](std::uint64_t request) { return !anew_.contains(request); });
  if (is_operator_ && world.chance(0.3)) beats_->set_up();
  are_limited_ = is_operator_ && fabric_.weather.clients == 1 && world.chance(0.4);
  if (are_limited_) return holds_->limit_some(ventilator_.origin(), [this] { submit_next(); });
  after(world.between(Duration(0), 2s), [this] { submit_next(); });
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
  std::vector<TaskDraw::Drawn> tasks;
  const auto count = 1 + static_cast<std::uint32_t>(fabric_.world.below(8));
  for (std::uint32_t i = 0; i < count; ++i) tasks.push_back(draw_.draw(i));
  submit(std::move(tasks));
}

std::uint64_t SimClient::submit(std::vector<TaskDraw::Drawn> tasks, const std::string& within) {
  protocol::Submit submit;
  submit.within = within;
  submit.count = static_cast<std::uint32_t>(tasks.size());
  std::vector<std::string> bodies;
  protocol::TaskGroups groups;
  for (auto& [body, plan] : tasks) {
    groups.add(plan.task_class, body, protocol::encode_conditions(plan.conditions), plan.trace);
    fabric_.ledger.on_submit(body, std::move(plan));
    bodies.push_back(std::move(body));
  }
  const auto request = submits_->submit(submit, std::make_shared<const Bytes>(groups.take()));
  bodies_[request] = std::move(bodies);
  wake();
  return request;
}

void SimClient::do_anew(const TaskDraw::Drawn& task) {
  if (!submits_->has_room()) return after(100ms, [this, task] { do_anew(task); });
  anew_.insert(submit({task}));
}

void SimClient::on_end(const client::SubmitEnded& ended) {
  const auto bodies = bodies_.extract(ended.request);
  const bool is_anew = anew_.erase(ended.request) > 0;
  if (!bodies) throw Violation{text(name(), ": a submit was answered twice")};
  if (ended.error) {
    if (ended.error->is_silence()) throw Violation{text(name(), ": ", ended.error->message)};
    fabric_.world.trace(text(name(), " is refused: ", ended.error->message));
    return;
  }
  auto& world = fabric_.world;
  if (!is_anew && accepted_++ == 0 && is_operator_) {
    if (world.chance(0.5)) holds_->pause_some(ended.origin);
    if (fabric_.weather.projects > 0) tracked_->open(ended.origin);
    if (fabric_.weather.rivals > 0) {
      const auto& workers = fabric_.workers;
      const bool has_far = std::any_of(workers.begin(), workers.end(), [&](const auto& worker) {
        return worker->offers(ventilator_, kFarKind);
      });
      rivals_->begin(ended.origin, has_far, are_limited_);
    }
    if (fabric_.weather.tenants > 0) tenant_->begin(ended.origin);
  }
  for (std::uint32_t i = 0; i < ended.count; ++i) {
    const TaskId id{ended.origin, ended.first + i};
    fabric_.ledger.on_answer(id, bodies.mapped()[i]);
    if (bodies.mapped()[i].starts_with(kRival)) continue;  // They always have work waiting.
    draw_.on_accepted(id);
    if (!world.chance(fabric_.weather.cancelled)) continue;
    ++cancels_;
    after(world.between(Duration(0), 3s), [this, id] { cancel(id); });
  }
}

void SimClient::cancel(const TaskId& id) {
  SeqRanges seqs;
  seqs.add(id.seq, id.seq);
  fabric_.ledger.on_cancel(id);
  const auto on_answer = [this](const Expected<protocol::Value>&) { --cancels_; };
  asks_->ask(protocol::Cancel{0, id.origin, seqs.encode()}, on_answer, kForEver);
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
