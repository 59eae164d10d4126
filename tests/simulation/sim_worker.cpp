#include "common/base/text.hpp"
#include "common/protocol/codec.hpp"
#include "common/protocol/log_lines.hpp"
#include "tests/simulation/fabric.hpp"
#include "tests/simulation/task_bodies.hpp"

namespace eole::simulation {

SimWorker::SimWorker(Fabric& fabric, SimVentilator& ventilator, int number)
    : Process(fabric, text("worker", number)),
      ventilator_(ventilator),
      may_lack_a_kind_(number % 10 > 1) {}

void SimWorker::boot() {
  worker::Config config;
  config.name = name();
  auto& world = fabric_.world;
  config.slots = 1 + static_cast<std::uint32_t>(world.below(3));
  config.prefetch = static_cast<std::uint32_t>(world.below(4));
  config.kinds = {"work", "quick"};
  if (may_lack_a_kind_ && world.chance(0.4))
    config.kinds.erase(world.chance(0.5) ? "work" : "quick");
  if (!may_lack_a_kind_ || world.chance(0.5)) config.resources = text("licence=", kLicences);
  if (!may_lack_a_kind_ || world.chance(0.5)) config.labels = kLabel;
  if (config.kinds.contains("quick")) config.inline_kinds = {"quick"};
  const bool has_work = config.kinds.contains("work");
  config.kinds.insert(has_work ? kLoneKind : kFarKind);
  kinds_ = {config.kinds.begin(), config.kinds.end()};
  if (world.chance(0.2)) config.held_bytes_max = 200 + world.below(500);
  if (may_lack_a_kind_ && config.kinds.contains("work") && world.chance(0.4)) {
    config.kinds.erase("work");
    config.kinds.erase(kLoneKind);
    config.runners = {{"./work", "", {{"work"}, {kLoneKind}}}};
  }
  prefetch_ = std::uint64_t{config.prefetch} * config.slots;
  const auto cluster = ventilator_.cluster();
  transport_.emplace(fabric_, *this);
  runner_.emplace(fabric_, *this, *transport_, cluster, config.runners);
  logs_.emplace(transport_->open(net::SocketType::kPush));
  logs_->connect(cluster.results);
  node_.emplace(worker::NodeOptions{cluster, config}, *transport_, *runner_);
}

void SimWorker::die() {
  fabric_.ledger.shares().on_worker_ends(name());
  node_.reset();
  logs_.reset();
  runner_.reset();
  transport_.reset();
}

std::optional<TimePoint> SimWorker::turn() {
  runner_->take_answers();
  if (fabric_.world.chance(0.02)) log();
  if (fabric_.world.chance(0.005)) runner_->break_runners();
  auto next = node_->turn();
  const auto unfinished = node_->core().unfinished();
  if (fabric_.ledger.is_calm() && prefetch_ > 0 && unfinished > prefetch_)
    throw Violation{text(name(), " has ", unfinished, " unfinished tasks, asked for ", prefetch_)};
  const auto asks_again = runner_->next_turn();
  return !next || (asks_again && *asks_again < *next) ? asks_again : next;
}

// As much as there may be, and what makes no sense: neither is anybody's trouble.
void SimWorker::log() {
  auto& world = fabric_.world;
  protocol::LogLines lines{world.chance(0.9) ? "worker" : "sink", name(), world.below(3), {}};
  for (auto left = world.below(20); left > 0; --left)
    protocol::put_log_line(lines.payload,
                 {world.wall_ms(), LogLevel::kInfo, {}, std::string(world.below(4096), 'l')});
  if (world.chance(0.2)) lines.payload.resize(world.below(lines.payload.size() + 1));
  logs_->send(encode(std::move(lines)));
}

void SimWorker::on_sent(const protocol::HeadReader& head, const protocol::Message& message) {
  if (head.name() == protocol::Hello::kName) {
    fabric_.ledger.on_hello(*protocol::decode<protocol::Hello>(head, message.payload));
  } else if (head.name() == protocol::Beat::kName) {
    const auto beat = *protocol::decode<protocol::Beat>(head, message.payload);
    fabric_.ledger.on_grant({beat.start, beat.run, beat.hello}, beat.limit);
  } else if (head.name() == protocol::Credit::kName) {
    const auto credit = *protocol::decode<protocol::Credit>(head, message.payload);
    fabric_.ledger.on_grant({credit.start, credit.run, credit.hello}, credit.limit);
  } else if (head.name() == protocol::Results::kName) {
    fabric_.ledger.on_send_results(*protocol::decode<protocol::Results>(head, message.payload));
  }
}

}  // namespace eole::simulation
