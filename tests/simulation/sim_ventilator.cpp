#include "common/base/text.hpp"
#include "common/protocol/codec.hpp"
#include "tests/simulation/fabric.hpp"
#include "tests/simulation/segment_bytes.hpp"

namespace eole::simulation {

namespace {
constexpr std::uint64_t kTurnsAccounted = 16;  // Of so many one, for it walks all tasks.
}

// A refusal of a healthy disk would be an outage without a reason.
void Server::on_refusal(const std::string& reason) {
  if (reason.find("damaged") == std::string::npos) return;
  if (!mends(reason))
    throw Violation{text(name(), " refuses a disk that is not damaged: ", reason)};
}

bool Server::mends(const std::string& trouble) {
  if (trouble.find("damaged") == std::string::npos || !disk.has_flipped_bits()) return false;
  disk.repair();
  was_mended_ = true;
  return true;
}

SimVentilator::SimVentilator(Fabric& fabric, SimSink& sink, int number, std::uint64_t disk_seed)
    : Server(fabric, text("ventilator", number), disk_seed), sink_(sink) {}

net::ClusterFile SimVentilator::cluster() const {
  auto cluster = sink_.cluster();
  cluster.ventilator = place(name(), "tasks");
  cluster.pipes = place(name(), "pipes");
  return cluster;
}

void SimVentilator::boot() {
  directory_ = disk.open();
  transport_.emplace(fabric_, *this);
  ventilator::NodeOptions options{cluster(), {}, {}, "boot"};
  options.store.segment_bytes = kSegmentBytes;
  options.store.entropy = fabric_.world.draw();
  node_.emplace(std::move(options), *transport_, authority_, *directory_);
  const auto& core = node_->core();
  forgotten_ = core.settled();
  fabric_.ledger.on_start_of(core.origin(), core.settled().count() + core.queued() + core.running(),
                             forgotten_);
}

void SimVentilator::die() {
  node_.reset();
  transport_.reset();
  directory_.reset();
}

std::optional<TimePoint> SimVentilator::turn() {
  const auto next = node_->turn();
  check_forgotten();
  if (fabric_.weather.expiring > 0) check_expired();
  if (++turns_ % kTurnsAccounted == 0) check_accounted();
  if (fabric_.world.chance(0.3)) node_->rest();
  // A late message of the life before may say so; a restart must cure it.
  if (node_->exit_code()) throw ProcessEnds{"it stops"};
  return next;
}

void SimVentilator::check_forgotten() {
  const auto& core = node_->core();
  if (core.settled().count() == forgotten_.count()) return;
  for (const auto& [first, last] : core.settled().ranges())
    for (auto seq = first; seq <= last; ++seq)
      if (forgotten_.add(seq, seq) > 0) fabric_.ledger.on_forget({core.origin(), seq});
}

void SimVentilator::check_accounted() const {
  const auto& core = node_->core();
  const auto accounted = core.accounted();
  if (accounted && *accounted != core.accepted())
    throw Violation{text(core.accepted(), " tasks were accepted, and ", *accounted,
                         " are settled, more than queued, at a gate or in a lane")};
}

void SimVentilator::check_expired() const {
  const auto& core = node_->core();
  for (const auto seq : fabric_.ledger.expired(core.origin())) {
    const auto task = core.explain().task(seq);
    if (task && task->attempt == 0 && (task->state == "queued" || task->state == "waiting"))
      throw Violation{text(to_text(TaskId{core.origin(), seq}), " has expired, and still waits")};
  }
}

void SimVentilator::on_sent(const protocol::HeadReader& head, const protocol::Message& message) {
  if (head.name() != protocol::Tasks::kName) return;
  const auto tasks = *protocol::decode<protocol::Tasks>(head, message.payload);
  fabric_.world.trace(text("tasks ", tasks.first, " and ", tasks.count - 1, " more, on hello ",
                           tasks.hello, " of run ", tasks.run % 1000));
  fabric_.ledger.on_send_tasks(tasks.origin, {tasks.start, tasks.run, tasks.hello},
                               tasks.first + tasks.count - 1, tasks.payload);
}

}  // namespace eole::simulation
