#include <algorithm>

#include "common/base/text.hpp"
#include "common/protocol/value.hpp"
#include "tests/simulation/fabric.hpp"
#include "tests/simulation/task_bodies.hpp"

// The nodes of the simulation: what the real nodes do, on simulated sockets and disks.
namespace eole::simulation {

using protocol::put_result;
using protocol::put_task_record;
using protocol::TaskState;
using protocol::Value;

namespace {
constexpr std::uint64_t kSegmentBytes = 16384;  // Segments begin and end within a run.
}  // namespace

// ---- Ventilator.

SimVentilator::SimVentilator(Fabric& fabric, std::uint64_t seed)
    : Process(fabric, "ventilator"), disk(seed) {}

void SimVentilator::boot() {
  directory_ = disk.open();
  journal_.emplace(
      *directory_,
      storage::StoreOptions{.segment_bytes = kSegmentBytes, .entropy = fabric_.world.draw()},
      std::string("boot"));
  core_.emplace(ventilator::Config{}, journal_->take_recovered(), fabric_.world.now());
  nonce_ = fabric_.world.draw();
  origin_ = core_->origin();
}

void SimVentilator::die() {
  for (const auto& link : pipes_)  // The workers see their connections end, mostly.
    for (const auto& worker : fabric_.workers)
      if (worker->pipe() == link && fabric_.world.chance(0.8)) worker->break_pipe(false);
  pipes_.clear();
  actions_.clear();
  core_.reset();
  journal_.reset();
  directory_.reset();
}

bool SimVentilator::is_idle() const {
  return core_ && core_->queued() == 0 && core_->running() == 0;
}

void SimVentilator::on_event(ventilator::Event event) {
  core_->on_event(std::move(event), fabric_.world.now(), actions_);
}

// As in ventilator/io/node: the journal first, one commit, then the rest.
void SimVentilator::turn() {
  core_->on_deadline(fabric_.world.now(), actions_);
  bool needs_sync = false;
  for (const auto& action : actions_) {
    if (const auto* tasks = std::get_if<ventilator::JournalTasks>(&action)) {
      journal_->append(*tasks);
      needs_sync = true;
    } else if (const auto* cancel = std::get_if<ventilator::JournalCancel>(&action)) {
      journal_->append(*cancel);
      needs_sync = true;
    } else if (const auto* note = std::get_if<ventilator::JournalNote>(&action)) {
      journal_->append(*note);
      needs_sync = needs_sync || note->needs_sync;
    }
  }
  if (journal_->wants_checkpoint()) {
    journal_->checkpoint(core_->checkpoint());
    settled_any_ = true;
  }
  needs_sync ? journal_->commit() : journal_->flush();
  const auto actions = std::exchange(actions_, {});
  for (const auto& action : actions) act(action);
  if (settled_any_) journal_->collect(core_->settled());
  settled_any_ = false;
}

void SimVentilator::act(const ventilator::Action& action) {
  auto& world = fabric_.world;
  if (const auto* reply = std::get_if<ventilator::Reply>(&action)) {
    if (const auto* accepted = std::get_if<protocol::Accepted>(&reply->message))
      for (const auto& client : fabric_.clients)
        if (client->name() == reply->peer &&
            world.chance(1 - (fabric_.faults_over ? 0 : fabric_.weather.loss)))
          world.after(world.between(20us, 2ms),
                      [&client, copy = *accepted] { client->on_accepted(copy); });
  } else if (const auto* welcome = std::get_if<ventilator::WelcomeWorker>(&action)) {
    pipes_.insert(welcome->link);
    if (auto* worker = fabric_.worker_of(welcome->peer))
      fabric_.send(*worker, [worker, link = welcome->link, origin = core_->origin()] {
        worker->on_event(worker::WelcomeReceived{
            {link.start, link.run, link.hello, origin, text(link.start, ".", link.hello), 1000}});
      });
  } else if (const auto* close = std::get_if<ventilator::ClosePipe>(&action)) {
    pipes_.erase(close->link);
    for (const auto& worker : fabric_.workers)
      if (worker->pipe() == close->link) worker->break_pipe(false);
  } else if (const auto* again = std::get_if<ventilator::SendHelloAgain>(&action)) {
    world.trace("hello again to " + again->peer);
    if (auto* worker = fabric_.worker_of(again->peer))
      fabric_.send(*worker, [worker, run = again->run] {
        worker->on_event(worker::HelloAgainReceived{run});
      });
  } else if (const auto* orders = std::get_if<ventilator::SendOrders>(&action)) {
    if (auto* worker = fabric_.worker_of(orders->peer))
      fabric_.send(*worker, [worker, copy = *orders] {
        worker->on_event(worker::OrdersReceived{{copy.link.start,
                                                 copy.link.run,
                                                 copy.link.hello,
                                                 static_cast<std::uint8_t>(copy.ask_beat),
                                                 {}},
                                                copy.orders});
      });
  } else if (const auto* send = std::get_if<ventilator::SendTasks>(&action)) {
    send_tasks(*send);
  } else if (const auto* verdict = std::get_if<ventilator::PushVerdict>(&action)) {
    push_verdict(*verdict);
  } else if (const auto* introduce = std::get_if<ventilator::SendIntroduce>(&action)) {
    fabric_.to_sink(
        [message =
             protocol::Introduce{
                 core_->start(), core_->origin(), core_->start(), nonce_, introduce->highest, {}},
         settled = core_->settled()] {
          return sink::IntroduceReceived{"ventilator", message, settled};
        });
  } else if (const auto* follow = std::get_if<ventilator::SendFollow>(&action)) {
    const protocol::Follow message{follow->request, follow->log, core_->origin(), nonce_,
                                   follow->offset};
    fabric_.send(*fabric_.sink, [this, message] { fabric_.sink->on_follow(message); });
  } else if (const auto* forget = std::get_if<ventilator::Forget>(&action)) {
    fabric_.check_forgotten(*forget);
    settled_any_ = true;
  } else if (const auto* stop = std::get_if<ventilator::Stop>(&action)) {
    // A late message of the life before may say so; a restart must cure it.
    throw storage::StorageFailure("stops: " + stop->reason);
  }
}

void SimVentilator::send_tasks(const ventilator::SendTasks& action) {
  auto& world = fabric_.world;
  const auto last = action.first_number + action.tasks.size() - 1;
  if (last > fabric_.limits[action.link])
    throw Violation{
        text("pipe number ", last, " was sent, the limit is ", fabric_.limits[action.link])};
  protocol::Tasks tasks{action.link.start,
                        action.link.run,
                        action.link.hello,
                        core_->origin(),
                        action.first_number,
                        static_cast<std::uint32_t>(action.tasks.size()),
                        {}};
  for (const auto& ref : action.tasks) {
    world.trace(text("sends ", ref.seq, " as number of link hello ", action.link.hello, " run ",
                     action.link.run % 1000, " attempt ", ref.attempt));
    const auto spec = std::string(journal_->spec(ref.seq));
    put_task_record(tasks.payload, {ref.seq, ref.lease_number, ref.attempt, ref.is_last, spec});
  }
  auto& clear = fabric_.pipe_clear[action.link];  // In order, and lost with the connection.
  clear = std::max(clear, world.now() + world.between(20us, fabric_.weather.delay_most));
  for (const auto& worker : fabric_.workers)
    if (worker->run() == action.link.run)
      world.at(clear, [&worker, link = action.link, tasks] {
        if (worker->pipe() == link)
          worker->deliver([&worker, tasks] { worker->on_event(worker::TasksReceived{tasks}); });
      });
}

void SimVentilator::push_verdict(const ventilator::PushVerdict& action) {
  protocol::ResultRecord result;
  result.id = {core_->origin(), action.seq};
  result.lease = action.lease;
  result.attempt = action.attempt;
  result.state = action.state;
  result.kind = "work";
  const auto body = Value(Value::Map{{"error", "verdict"}}).to_msgpack();
  result.body = body;
  protocol::Verdicts verdicts{core_->origin(), 1, {}};
  put_result(verdicts.payload, result);
  fabric_.to_sink([verdicts] { return sink::VerdictsReceived{verdicts}; });
}

// ---- Sink.

SimSink::SimSink(Fabric& fabric, std::uint64_t seed) : Process(fabric, "sink"), disk(seed) {}

void SimSink::boot() {
  directory_ = disk.open();
  log_.emplace(*directory_, storage::StoreOptions{.segment_bytes = kSegmentBytes,
                                                  .entropy = fabric_.world.draw()});
  published_to_ = log_->core().head();
  // What recovery shows is durable, also what was written and not acknowledged before the end.
  protocol::Read read{0, 0, 0, 0, UINT32_MAX};
  while (read.offset < published_to_) {
    const auto records = log_->read(read);
    ByteReader reader(records->payload);
    while (!reader.is_done()) note_batch(reader.take(reader.get<std::uint32_t>()));
    read.offset = records->next;
  }
}

void SimSink::note_batch(std::string_view encoded) {
  const auto batch = protocol::read_batch(encoded);
  ByteReader reader(batch->records);
  for (std::uint32_t i = 0; i < batch->count; ++i) {
    const auto result = protocol::read_result(reader);
    if (result->is_final) fabric_.durable_finals.insert(result->id);
    fabric_.note_result(*result, batch->first_offset + i);
  }
}

void SimSink::die() {
  actions_.clear();
  log_.reset();
  directory_.reset();
}

void SimSink::on_event(sink::Event event) { log_->core().on_event(event, actions_); }

std::optional<TimePoint> SimSink::next_deadline() const { return next_head_; }

void SimSink::perform() {
  bool has_appended = false;
  for (const auto& action : actions_) {
    if (const auto* batch = std::get_if<sink::AppendBatch>(&action)) {
      log_->append(*batch);
      has_appended = true;
    } else if (const auto* introduction = std::get_if<sink::AppendIntroduction>(&action)) {
      log_->append(*introduction);
      has_appended = true;
    }
  }
  if (has_appended) log_->commit();
  const auto actions = std::exchange(actions_, {});
  for (const auto& action : actions) act(action);
}

void SimSink::act(const sink::Action& action) {
  if (const auto* append = std::get_if<sink::AppendBatch>(&action)) {
    note_batch(append->batch);
    const auto batch = protocol::read_batch(append->batch);
    protocol::Settlement settlement;
    sink::project(*batch, fabric_.ventilator->origin(), settlement);
    const auto head = batch->first_offset + batch->count;
    const protocol::Settled news{0,    log_->core().log(),  published_to_,
                                 head, log_->core().head(), {}};
    published_to_ = head;
    fabric_.to_ventilator([news, settlement] {
      return ventilator::SettledReceived{news, settlement};
    });
  } else if (const auto* ack = std::get_if<sink::PublishAck>(&action)) {
    const protocol::Ack message{log_->core().log(), ack->run, ack->level};
    for (const auto& worker : fabric_.workers)
      if (worker->run() == ack->run)
        fabric_.send(*worker,
                     [&worker, message] { worker->on_event(worker::AckReceived{message}); });
  } else if (const auto* reply = std::get_if<sink::Reply>(&action)) {
    if (const auto* introduced = std::get_if<protocol::Introduced>(&reply->message)) {
      SeqRanges settled;
      settled.decode(introduced->payload);
      fabric_.to_ventilator([message = *introduced, settled] {
        return ventilator::IntroducedReceived{static_cast<std::uint32_t>(message.request),
                                              message.log, message.offset, settled};
      });
    } else {
      const auto reason = std::get<protocol::Refused>(reply->message).reason;
      fabric_.world.trace("sink refuses: " + reason);
    }
  }
}

void SimSink::turn() {
  perform();
  const auto now = fabric_.world.now();
  if (now < next_head_) return;
  next_head_ = now + 1s;
  const protocol::Settled news{0, log_->core().log(), published_to_, published_to_, published_to_,
                               {}};
  fabric_.to_ventilator([news] { return ventilator::SettledReceived{news, {}}; });
}

void SimSink::on_follow(const protocol::Follow& follow) {
  perform();
  const auto why = log_->core().why_not_followed(follow.origin, follow.nonce);
  if (why && follow.log == log_->core().log()) {
    fabric_.world.trace("sink refuses: " + *why);  // Of a life that is over.
    return;
  }
  const auto answer = log_->follow(follow);
  if (!answer) throw Violation{"the sink refused its own follower: " + answer.error().message};
  auto settlement = protocol::decode_settlement(answer->payload);
  fabric_.to_ventilator([settled = *answer, list = *settlement] {
    return ventilator::SettledReceived{settled, list};
  });
}

void SimSink::on_read(const protocol::Read& read, std::function<void(protocol::Records)> answer) {
  perform();
  auto records = log_->read(read);
  if (!records) throw Violation{"a subscriber's cursor was refused: " + records.error().message};
  answer(std::move(*records));
}

// ---- Worker.

SimWorker::SimWorker(Fabric& fabric, int number) : Process(fabric, text("w", number)) {}

void SimWorker::boot() {
  worker::Config config;
  config.name = name_;
  auto& world = fabric_.world;
  config.slots = 1 + static_cast<std::uint32_t>(world.below(3));
  config.prefetch = static_cast<std::uint32_t>(world.below(4));
  config.kinds = {"work"};
  core_.emplace(config, world.draw(), world.now());
}

void SimWorker::die() {
  if (pipe_) {
    if (fabric_.world.chance(0.8))
      fabric_.to_ventilator([link = *pipe_] { return ventilator::PipeEnded{link}; });
    pipe_.reset();
  }
  actions_.clear();
  killed_.clear();
  core_.reset();
}

void SimWorker::on_event(worker::Event event) {
  core_->on_event(std::move(event), fabric_.world.now(), actions_);
}

void SimWorker::break_pipe(bool tells_ventilator) {
  if (!pipe_) return;
  if (tells_ventilator)
    fabric_.to_ventilator([link = *pipe_] { return ventilator::PipeEnded{link}; });
  pipe_.reset();
  deliver([this] { on_event(worker::PipeDown{}); });
}

void SimWorker::turn() {
  core_->on_deadline(fabric_.world.now(), actions_);
  const auto actions = std::exchange(actions_, {});
  for (const auto& action : actions) {
    act(action);
    if (!core_) return;  // A poison task.
  }
}

void SimWorker::act(const worker::Action& action) {
  const auto grant = [&](std::uint32_t start, std::uint32_t hello, std::uint64_t limit) {
    auto& most = fabric_.limits[{start, core_->run(), hello}];
    most = std::max(most, limit);
  };
  if (const auto* hello = std::get_if<worker::SendHello>(&action)) {
    fabric_.world.trace(text(name_, " says hello ", hello->hello.hello));
    fabric_.to_ventilator([name = name_, message = hello->hello] {
      return ventilator::HelloReceived{name, message, *protocol::decode_held(message.payload)};
    });
  } else if (const auto* open = std::get_if<worker::OpenPipe>(&action)) {
    open_pipe(open->endpoint);
  } else if (std::get_if<worker::ClosePipe>(&action) != nullptr) {
    if (pipe_) fabric_.to_ventilator([link = *pipe_] { return ventilator::PipeEnded{link}; });
    pipe_.reset();
  } else if (const auto* beat = std::get_if<worker::SendBeat>(&action)) {
    grant(beat->beat.start, beat->beat.hello, beat->beat.limit);
    fabric_.to_ventilator([name = name_, message = beat->beat] {
      return ventilator::BeatReceived{name, message, *protocol::decode_held(message.payload)};
    });
  } else if (const auto* credit = std::get_if<worker::SendCredit>(&action)) {
    grant(credit->credit.start, credit->credit.hello, credit->credit.limit);
    fabric_.to_ventilator([name = name_, message = credit->credit] {
      return ventilator::CreditReceived{name, message};
    });
  } else if (const auto* task = std::get_if<worker::StartTask>(&action)) {
    start_task(*task);
  } else if (const auto* kill = std::get_if<worker::KillTask>(&action)) {
    killed_.insert(kill->id);
  } else if (const auto* results = std::get_if<worker::SendResults>(&action)) {
    fabric_.to_sink([message = results->results] { return sink::ResultsReceived{message, {}}; });
  }
}

void SimWorker::open_pipe(const std::string& endpoint) {
  const auto dot = endpoint.find('.');
  const Link link{static_cast<std::uint32_t>(std::stoul(endpoint)), core_->run(),
                  static_cast<std::uint32_t>(std::stoul(endpoint.substr(dot + 1)))};
  pipe_ = link;
  fabric_.world.after(fabric_.world.between(50us, 2ms), [this, link] {
    if (pipe_ != link || !fabric_.ventilator->is_alive() || !fabric_.ventilator->has_pipe(link))
      return;
    deliver([this] { on_event(worker::PipeUp{}); });
  });
}

void SimWorker::start_task(const worker::StartTask& task) {
  auto& world = fabric_.world;
  ByteReader reader(task.spec);
  const auto spec = protocol::read_task_spec(reader);
  const auto args = std::string(spec->args);
  if (!task.is_cancelled) fabric_.note_execution(task.id);
  world.trace(text(name_, " starts ", task.id.seq, " attempt ", task.attempt));
  if (args.starts_with(kPoison) && !task.is_cancelled) return crash();
  const bool fails = args.starts_with(kFailing) && world.chance(0.5);
  const auto length = task.is_cancelled ? Duration(0) : world.between(100us, 400ms);
  world.after(length, [this, run = core_->run(), id = task.id, lease = task.lease, args, fails,
                       is_cancelled = task.is_cancelled] {
    deliver([this, run, id, lease, args, fails, is_cancelled] {
      if (core_->run() != run) return;
      const bool was_killed = killed_.erase(id) > 0 || is_cancelled;
      const auto state = was_killed ? TaskState::kCancelled
                         : fails    ? TaskState::kFailed
                                    : TaskState::kDone;
      on_event(worker::TaskFinished{
          id, lease, state, 1, 0, {}, Value(Value::Map{{"value", args}}).to_msgpack()});
    });
  });
}

}  // namespace eole::simulation
