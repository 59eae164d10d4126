#include <algorithm>

#include "common/base/text.hpp"
#include "tests/simulation/fabric.hpp"
#include "tests/simulation/segment_bytes.hpp"
#include "ventilator/io/verdict.hpp"

namespace eole::simulation {

using protocol::put_task_run;

// A refusal of a healthy disk would be an outage without a reason.
void Server::on_refusal(const std::string& reason) {
  if (reason.find("damaged") == std::string::npos) return;
  if (!disk.has_flipped_bits())
    throw Violation{text(name(), " refuses a disk that is not damaged: ", reason)};
  disk.repair();
}

SimVentilator::SimVentilator(Fabric& fabric, SimSink& sink, int number, std::uint64_t disk_seed)
    : Server(fabric, text("ventilator", number), disk_seed), sink_(sink) {}

void SimVentilator::boot() {
  directory_ = disk.open();
  journal_.emplace(
      *directory_,
      storage::StoreOptions{.segment_bytes = kSegmentBytes, .entropy = fabric_.world.draw()},
      std::string("boot"));
  auto recovered = journal_->take_recovered();
  fabric_.ledger.on_start_of(recovered.origin, recovered.last, recovered.settled);
  core_.emplace(ventilator::Config{}, std::move(recovered), fabric_.world.now());
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

void SimVentilator::on_event(ventilator::Event event) {
  core_->on_event(std::move(event), fabric_.world.now(), actions_);
}

void SimVentilator::on_submit(const std::string& client, const protocol::Submit& submit) {
  on_event(ventilator::Submitted{client, submit, "", journal_->is_full()});
}

void SimVentilator::turn() {
  core_->on_deadline(fabric_.world.now(), actions_);
  journal_->write(actions_, [this](auto& place) { return core_->save(place); });
  const auto actions = std::exchange(actions_, {});
  for (const auto& action : actions) act(action);
  journal_->collect(core_->settled());
  if (fabric_.world.chance(0.3)) journal_->rest();
}

void SimVentilator::act(const ventilator::Action& action) {
  auto& world = fabric_.world;
  const auto worker_of = [&](const std::string& peer) -> SimWorker* {
    for (const auto& worker : fabric_.workers)
      if (worker->name() == peer) return worker.get();
    return nullptr;
  };
  const auto tell = [&](const std::string& peer, worker::Event event) {
    if (auto* worker = worker_of(peer))
      fabric_.send(*this, *worker, [worker, event] { worker->on_event(event); });
  };
  if (const auto* concrete = std::get_if<ventilator::Reply>(&action)) {
    reply(*concrete);
  } else if (const auto* welcome = std::get_if<ventilator::WelcomeWorker>(&action)) {
    const auto& link = welcome->link;
    pipes_.insert(link);
    tell(welcome->peer, worker::WelcomeReceived{{link.start, link.run, link.hello, core_->origin(),
                                                 text(link.start, ".", link.hello), 1000}});
  } else if (const auto* close = std::get_if<ventilator::ClosePipe>(&action)) {
    pipes_.erase(close->link);
    for (const auto& worker : fabric_.workers)
      if (worker->pipe() == close->link) worker->break_pipe(false);
  } else if (const auto* again = std::get_if<ventilator::SendHelloAgain>(&action)) {
    world.trace("hello again to " + again->peer);
    tell(again->peer, worker::HelloAgainReceived{again->run});
  } else if (const auto* orders = std::get_if<ventilator::SendOrders>(&action)) {
    const auto& link = orders->link;
    tell(orders->peer,
         worker::OrdersReceived{
             {link.start, link.run, link.hello, static_cast<std::uint8_t>(orders->ask_beat), {}},
             orders->orders});
  } else if (const auto* send = std::get_if<ventilator::SendTasks>(&action)) {
    send_tasks(*send);
  } else if (const auto* verdict = std::get_if<ventilator::PushVerdict>(&action)) {
    push_verdict(*verdict);
  } else if (const auto* introduce = std::get_if<ventilator::SendIntroduce>(&action)) {
    const protocol::Introduce message{core_->start(), core_->origin(),    core_->start(),
                                      nonce_,         introduce->highest, {}};
    fabric_.send(*this, sink_, [this, message, settled = core_->settled()] {
      sink_.on_event(sink::IntroduceReceived{name(), message, settled});
    });
  } else if (const auto* follow = std::get_if<ventilator::SendFollow>(&action)) {
    const protocol::Follow message{follow->request, follow->log, core_->origin(), nonce_,
                                   follow->offset};
    fabric_.send(*this, sink_, [this, message] { sink_.on_follow(*this, message); });
  } else if (const auto* forget = std::get_if<ventilator::Forget>(&action)) {
    for (const auto& range : forget->ranges)
      for (auto seq = range.first; seq <= range.last; ++seq)
        fabric_.ledger.on_forget({core_->origin(), seq});
  } else if (const auto* stop = std::get_if<ventilator::Stop>(&action)) {
    // A late message of the life before may say so; a restart must cure it.
    throw storage::StorageFailure("stops: " + stop->reason);
  }
}

void SimVentilator::reply(const ventilator::Reply& action) {
  const auto* accepted = std::get_if<protocol::Acceptance>(&action.message);
  if (accepted == nullptr) return;  // Refused: the client asks again later.
  for (const auto& client : fabric_.clients)
    if (client->name() == action.peer)
      fabric_.send(name(), client->name(), [&client, origin = core_->origin(), copy = *accepted] {
        client->on_accepted(origin, copy);
      });
}

void SimVentilator::send_tasks(const ventilator::SendTasks& action) {
  auto& world = fabric_.world;
  protocol::Tasks tasks{action.link.start,
                        action.link.run,
                        action.link.hello,
                        core_->origin(),
                        action.first_number,
                        0,
                        {}};
  for (auto run : action.runs)
    while (run.count > 0) {
      const auto specs = journal_->specs(run.seq, run.count);
      world.trace(text("sends ", specs.count, " from ", run.seq, " on hello ", action.link.hello,
                       " of run ", action.link.run % 1000, ", attempt ", run.attempt));
      put_task_run(tasks.payload,
                   {run.seq, run.lease_number, run.attempt, specs.count, specs.bytes});
      tasks.count += specs.count;
      run.seq += specs.count;
      run.lease_number += specs.count;
      run.count -= specs.count;
    }
  fabric_.ledger.on_send_tasks(action.link, tasks.first + tasks.count - 1);
  for (const auto& worker : fabric_.workers) {
    if (worker->run() != action.link.run) continue;
    auto& clear = pipe_clear_[action.link];  // In order, and lost with the connection.
    clear = std::max(clear, fabric_.arrival(name(), worker->name()));
    world.at(clear, [&worker, link = action.link, tasks] {
      if (worker->pipe() == link)
        worker->deliver([&worker, tasks] { worker->on_event(worker::TasksReceived{tasks}); });
    });
  }
}

void SimVentilator::push_verdict(const ventilator::PushVerdict& action) {
  const auto spec = journal_->has(action.seq) ? journal_->specs(action.seq, 1).bytes : "";
  const auto verdicts =
      ventilator::verdict_of(action, core_->origin(), spec, fabric_.world.wall_ms());
  fabric_.send(*this, sink_,
               [this, verdicts] { sink_.on_event(sink::VerdictsReceived{verdicts}); });
}

}  // namespace eole::simulation
