#include "tests/simulation/sim_runner.hpp"

#include "common/base/text.hpp"
#include "common/process/hash.hpp"
#include "common/protocol/codec.hpp"
#include "common/protocol/needs.hpp"
#include "common/protocol/value.hpp"
#include "tests/simulation/fabric.hpp"
#include "tests/simulation/task_bodies.hpp"
#include "worker/runners/part.hpp"

namespace eole::simulation {

using protocol::TaskState;
using protocol::Value;

namespace {

std::uint64_t licences_of(const worker::StartTask& task) {
  const auto needs = *protocol::parse_needs(task.task_class.needs);
  for (const auto& need : needs)
    if (need.name == "licence") return *need.amount;
  return 0;
}

}  // namespace

SimRunner::SimRunner(Fabric& fabric, Process& process, net::Transport& transport,
                     const net::ClusterFile& cluster, std::vector<protocol::RunnerOffer> offers)
    : fabric_(fabric),
      process_(process),
      socket_(transport.open(net::SocketType::kDealer)),
      lookups_(fabric, process, transport, cluster.queries),
      offers_(std::move(offers)) {
  socket_.connect(cluster.artifacts);
}

// A failure has a cause, and now and then a wish.
Value SimRunner::body_of(const std::string& args, bool fails) {
  auto& world = fabric_.world;
  Value body = Value::Map{{"value", args}};
  if (fails) body.set("cause", world.chance(0.7) ? "exit:75" : "exit:1");
  if (fails && world.chance(0.3)) body.set("retry_after_ms", 100 + world.below(1000));
  return body;
}

worker::BatchFinished SimRunner::run_batch(std::shared_ptr<const worker::Batch> batch) {
  auto& world = fabric_.world;
  worker::BatchFinished finished{batch, world.wall_ms(), 1, {}, {}};
  for (const auto& task : batch->tasks) {
    fabric_.ledger.on_start(task.id, task.args);
    world.trace(
        text(process_.name(), " runs ", to_text(task.id), " at once, attempt ", task.attempt));
    const bool fails = task.args.starts_with(kFailing) && world.chance(0.5);
    const auto body = body_of(std::string(task.args), fails).to_msgpack();
    const auto before = finished.bodies.size();
    protocol::put_body(finished.bodies, body);
    finished.ends.push_back({fails ? TaskState::kFailed : TaskState::kDone,
                             static_cast<std::uint32_t>(finished.bodies.size() - before)});
  }
  return finished;
}

bool SimRunner::is_broken(const std::string& kind) const {
  for (const auto& offer : offers_)
    for (const auto& each : offer.kinds)
      if (each.name == kind) return !offer.problem.empty();
  return false;
}

void SimRunner::set_problem(const std::string& problem) {
  for (auto& offer : offers_) offer.problem = problem;
  have_offers_changed_ = is_due_ = true;
  process_.wake();
}

void SimRunner::break_runners() {
  if (offers_.empty() || !offers_.front().problem.empty()) return;
  fabric_.world.trace(text("the runners of ", process_.name(), " cannot start"));
  set_problem("it is gone");
  process_.after(fabric_.world.between(100ms, 5s), [this] { set_problem(""); });
}

void SimRunner::start(const worker::StartTask& task) {
  if (is_broken(task.task_class.kind)) {
    worker::TaskFinished unbegun{task.id, task.lease, TaskState::kFailed, 0, 0, {}, {}};
    unbegun.is_unbegun = true;
    return finish(std::move(unbegun));
  }
  auto& world = fabric_.world;
  const std::string args = task.args;
  fabric_.ledger.on_start(task.id, args);
  fabric_.ledger.on_begin(task.id.origin, task.task_class.kind);
  licences_ += licences_of(task);
  if (licences_ > kLicences * 1000)
    throw Violation{text("what runs on ", process_.name(), " needs ", licences_ / 1000,
                         " licences, and it has ", kLicences)};
  world.trace(text(process_.name(), " starts ", to_text(task.id), " attempt ", task.attempt));
  if (args.starts_with(kPoison)) throw ProcessEnds{"poison"};
  lookups_.look(task, [this, task] { run(task); });
}

void SimRunner::run(const worker::StartTask& task) {
  auto& world = fabric_.world;
  const std::string args = task.args;
  const bool fails = args.starts_with(kFailing) && world.chance(0.5);
  const bool is_rival = args.starts_with(kRival);
  const auto length = is_rival ? world.between(longest_of_rival(args) / 3, longest_of_rival(args))
                      : world.chance(fabric_.weather.slow) ? world.between(1s, 20s)
                                                           : world.between(100us, 400ms);
  if (is_rival)
    fabric_.ledger.shares().on_begin(task.id, task.task_class.project, process_.name(),
                                     world.now());
  process_.after(length, [this, task, args, fails, length] {
    fabric_.ledger.on_run(task.id, length, killed_.contains(task.id));
    end(task, args, fails, length);
  });
}

void SimRunner::end(const worker::StartTask& task, const std::string& args, bool fails,
                    Duration length) {
  fabric_.ledger.on_end(task.id.origin, task.task_class.kind);
  if (args.starts_with(kRival))
    fabric_.ledger.shares().on_end(task.id, task.task_class.project, process_.name(),
                                   fabric_.world.now());
  licences_ -= licences_of(task);
  const auto killed = killed_.extract(task.id);
  const bool is_cancelled = killed && !killed.mapped();
  const auto state = is_cancelled      ? TaskState::kCancelled
                     : killed || fails ? TaskState::kFailed
                                       : TaskState::kDone;
  worker::TaskFinished ended{
      task.id, task.lease, state, fabric_.world.wall_ms(),
      0,       {},         {},    fails && !killed && task.task_class.retry == 0};
  ended.run_us = worker::run_time_us(length);
  auto body = body_of(args, fails);
  if (killed && killed.mapped()) body = Value::Map{{"error", "too slow"}, {"cause", "timeout"}};
  worker::tell_part(task, state, body);
  ended.body = body.to_msgpack();
  if (state != TaskState::kDone || !args.starts_with(kMaking)) return finish(std::move(ended));
  auto content = args;  // Some make the same file as others.
  content.resize(fabric_.world.below(3) * 700 + 10, 'x');
  uploads_.emplace(++last_upload_, Upload{task, std::move(ended), std::move(content)});
  upload(last_upload_);
}

void SimRunner::finish(worker::TaskFinished finished) {
  finished_.push_back(std::move(finished));
  is_due_ = true;
  process_.wake();
}

// A piece at a time, again and again until the sink has the whole of it.
void SimRunner::upload(std::uint64_t number) {
  const auto found = uploads_.find(number);
  if (found == uploads_.end()) return;
  const auto& [task, end, content, have] = found->second;
  socket_.send(encode(protocol::Put{number, hex(process::sha256(content)), content.size(), have,
                                    content.substr(have, 512)}));
  process_.after(2s, [this, number] { upload(number); });
}

void SimRunner::take_answers() {
  lookups_.turn();
  while (auto received = socket_.receive()) {
    const auto head = protocol::HeadReader::parse(received->message.head);
    if (const auto at = protocol::decode<protocol::PutAt>(*head, {});
        head->name() == protocol::PutAt::kName)
      on(*at);
    else if (const auto refused = protocol::decode<protocol::Refused>(*head, {}))
      on(*refused);
  }
}

void SimRunner::on(const protocol::PutAt& at) {
  const auto found = uploads_.find(at.request);
  if (found == uploads_.end()) return;
  auto& upload = found->second;
  if (at.is_whole == 0) {
    const bool is_news = at.have > upload.have;
    upload.have = at.have;
    if (is_news) this->upload(at.request);
    return;
  }
  upload.end.artifacts = process::sha256(upload.content);
  finish(std::move(upload.end));
  uploads_.erase(found);
}

void SimRunner::on(const protocol::Refused& refused) {
  const auto found = uploads_.find(refused.request);
  if (found == uploads_.end()) return;
  auto& end = found->second.end;
  end.state = TaskState::kFailed;
  Value body = Value::Map{{"error", refused.reason}};
  worker::tell_part(found->second.task, end.state, body);
  end.body = body.to_msgpack();
  finish(std::move(end));
  uploads_.erase(found);
}

}  // namespace eole::simulation
