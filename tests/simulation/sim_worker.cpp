#include <algorithm>

#include "common/base/text.hpp"
#include "common/protocol/value.hpp"
#include "tests/simulation/fabric.hpp"
#include "tests/simulation/task_bodies.hpp"

namespace eole::simulation {

using protocol::TaskState;
using protocol::Value;

SimWorker::SimWorker(Fabric& fabric, SimVentilator& ventilator, SimSink& sink, int number)
    : Process(fabric, text("worker", number)), ventilator_(ventilator), sink_(sink) {}

void SimWorker::boot() {
  worker::Config config;
  config.name = name_;
  auto& world = fabric_.world;
  config.slots = 1 + static_cast<std::uint32_t>(world.below(3));
  config.prefetch = static_cast<std::uint32_t>(world.below(4));
  config.kinds = {"work", "quick"};
  config.inline_kinds = {"quick"};
  if (world.chance(0.2)) config.held_bytes_max = 200 + world.below(500);
  prefetch_ = std::uint64_t{config.prefetch} * config.slots;
  core_.emplace(config, world.draw(), world.now());
}

void SimWorker::die() {
  if (fabric_.world.chance(0.8)) end_pipe();
  pipe_.reset();
  actions_.clear();
  killed_.clear();
  uploads_.clear();
  core_.reset();
}

void SimWorker::on_event(worker::Event event) {
  core_->on_event(std::move(event), fabric_.world.now(), actions_);
}

void SimWorker::tell(ventilator::Event event) {
  fabric_.send(*this, ventilator_,
               [this, event = std::move(event)] { ventilator_.on_event(event); });
}

// The ventilator sees the connection end.
void SimWorker::end_pipe() {
  if (pipe_) tell(ventilator::PipeEnded{*pipe_});
  pipe_.reset();
}

void SimWorker::break_pipe(bool tells_ventilator) {
  if (!pipe_) return;
  if (tells_ventilator) end_pipe();
  pipe_.reset();
  deliver([this] { on_event(worker::PipeDown{}); });
}

void SimWorker::turn() {
  perform();
  if (!core_) return;  // A poison task.
  core_->on_deadline(fabric_.world.now(), actions_);
  if (fabric_.ledger.is_calm() && prefetch_ > 0 && core_->unfinished() > prefetch_)
    throw Violation{
        text(name_, " has ", core_->unfinished(), " unfinished tasks, asked for ", prefetch_)};
  perform();
}

void SimWorker::perform() {
  const auto actions = std::exchange(actions_, {});
  for (const auto& action : actions) {
    act(action);
    if (!core_) return;  // A poison task.
  }
}

void SimWorker::act(const worker::Action& action) {
  if (const auto* hello = std::get_if<worker::SendHello>(&action)) {
    fabric_.world.trace(text(name_, " says hello ", hello->hello.hello));
    tell(ventilator::HelloReceived{name_, hello->hello,
                                   *protocol::decode_held(hello->hello.payload)});
  } else if (const auto* open = std::get_if<worker::OpenPipe>(&action)) {
    open_pipe(open->endpoint);
  } else if (std::holds_alternative<worker::ClosePipe>(action)) {
    end_pipe();
  } else if (const auto* beat = std::get_if<worker::SendBeat>(&action)) {
    fabric_.ledger.on_grant({beat->beat.start, core_->run(), beat->beat.hello}, beat->beat.limit);
    tell(ventilator::BeatReceived{name_, beat->beat, *protocol::decode_held(beat->beat.payload)});
  } else if (const auto* credit = std::get_if<worker::SendCredit>(&action)) {
    const auto& message = credit->credit;
    fabric_.ledger.on_grant({message.start, core_->run(), message.hello}, message.limit);
    tell(ventilator::CreditReceived{name_, message});
  } else if (const auto* task = std::get_if<worker::StartTask>(&action)) {
    start_task(*task);
  } else if (const auto* batch = std::get_if<worker::StartBatch>(&action)) {
    run_batch(batch->batch);
  } else if (const auto* kill = std::get_if<worker::KillTask>(&action)) {
    killed_.insert(kill->id);
  } else if (const auto* results = std::get_if<worker::SendResults>(&action)) {
    auto message = results->results;
    message.payload = *results->records;
    fabric_.ledger.on_send_results(message);
    fabric_.send(*this, sink_, [this, message] {
      sink_.on_event(sink::ResultsReceived{message, {}});
    });
  }
}

void SimWorker::run_batch(const std::shared_ptr<const worker::Batch>& batch) {
  auto& world = fabric_.world;
  worker::BatchFinished finished{batch, world.wall_ms(), {}, {}};
  for (const auto& task : batch->tasks) {
    fabric_.ledger.on_start(task.id);
    world.trace(text(name_, " runs ", to_text(task.id), " at once, attempt ", task.attempt));
    const bool fails = task.spec.args.starts_with(kFailing) && world.chance(0.5);
    const auto body = Value(Value::Map{{"value", std::string(task.spec.args)}}).to_msgpack();
    const auto before = finished.bodies.size();
    protocol::put_body(finished.bodies, body);
    finished.ends.push_back({fails ? TaskState::kFailed : TaskState::kDone,
                             static_cast<std::uint32_t>(finished.bodies.size() - before)});
  }
  on_event(std::move(finished));
}

void SimWorker::open_pipe(const std::string& endpoint) {
  const auto dot = endpoint.find('.');
  const Link link{static_cast<std::uint32_t>(std::stoul(endpoint)), core_->run(),
                  static_cast<std::uint32_t>(std::stoul(endpoint.substr(dot + 1)))};
  pipe_ = link;
  fabric_.world.at(fabric_.arrival(name_, ventilator_.name()), [this, link] {
    if (pipe_ != link || !ventilator_.is_alive() || !ventilator_.has_pipe(link)) return;
    deliver([this] { on_event(worker::PipeUp{}); });
  });
}

void SimWorker::start_task(const worker::StartTask& task) {
  auto& world = fabric_.world;
  ByteReader reader(task.spec);
  const auto spec = protocol::read_task_spec(reader);
  const auto args = std::string(spec->args);
  if (!task.is_cancelled) fabric_.ledger.on_start(task.id);
  world.trace(text(name_, " starts ", to_text(task.id), " attempt ", task.attempt));
  if (args.starts_with(kPoison) && !task.is_cancelled) return crash();
  const bool fails = args.starts_with(kFailing) && world.chance(0.5);
  const auto length = task.is_cancelled                    ? Duration(0)
                      : world.chance(fabric_.weather.slow) ? world.between(1s, 20s)
                                                           : world.between(100us, 400ms);
  world.after(length, [this, run = core_->run(), id = task.id, lease = task.lease, args, fails,
                       is_cancelled = task.is_cancelled] {
    deliver([this, run, id, lease, args, fails, is_cancelled] {
      if (core_->run() != run) return;
      const bool was_killed = killed_.erase(id) > 0 || is_cancelled;
      const auto state = was_killed ? TaskState::kCancelled
                         : fails    ? TaskState::kFailed
                                    : TaskState::kDone;
      worker::TaskFinished end{id,
                               lease,
                               state,
                               fabric_.world.wall_ms(),
                               0,
                               {},
                               Value(Value::Map{{"value", args}}).to_msgpack(),
                               fails};
      if (state != TaskState::kDone || !args.starts_with(kMaking)) return on_event(std::move(end));
      auto content = args;  // Some make the same file as others.
      content.resize(fabric_.world.below(3) * 700 + 10, 'x');
      const auto number = ++uploads_begun_;
      uploads_.emplace(number, Upload{std::move(end), std::move(content)});
      upload(number);
    });
  });
}

// A piece at a time, again and again until the sink has the whole of it.
void SimWorker::upload(std::uint64_t number) {
  const auto found = uploads_.find(number);
  if (found == uploads_.end()) return;
  const auto& [end, content, have] = found->second;
  fabric_.send(*this, sink_,
               [this, number, sha256 = hex(process::sha256(content)), size = content.size(),
                offset = have, piece = content.substr(have, 512)] {
                 const auto progress = sink_.on_put(sha256, size, offset, piece);
                 fabric_.send(sink_, *this,
                              [this, number, progress] { on_put_at(number, progress); });
               });
  fabric_.world.after(2s, [this, number] { deliver([this, number] { upload(number); }); });
}

void SimWorker::on_put_at(std::uint64_t number,
                          const Expected<sink::ArtifactStore::Progress>& progress) {
  const auto found = uploads_.find(number);
  if (found == uploads_.end()) return;
  auto& upload = found->second;
  if (progress && !progress->is_whole) {
    const bool is_news = progress->have > upload.have;
    upload.have = progress->have;
    if (is_news) this->upload(number);
    return;
  }
  if (progress) {
    upload.end.artifacts = process::sha256(upload.content);
  } else {
    upload.end.state = TaskState::kFailed;
    upload.end.body = Value(Value::Map{{"error", progress.error().message}}).to_msgpack();
  }
  on_event(std::move(upload.end));
  uploads_.erase(number);
}

}  // namespace eole::simulation
