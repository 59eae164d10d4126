#include <algorithm>

#include "common/base/text.hpp"
#include "common/process/hash.hpp"
#include "common/protocol/codec.hpp"
#include "tests/simulation/fabric.hpp"
#include "tests/simulation/segment_bytes.hpp"

namespace eole::simulation {

Server::Server(Fabric& fabric, std::string name, std::uint64_t disk_seed)
    : Process(fabric, std::move(name)), disk(disk_seed) {
  disk.set_clock([&fabric] { return fabric.world.wall_ms(); });
}

SimSink::SimSink(Fabric& fabric, int number, std::uint64_t disk_seed)
    : Server(fabric, text("sink", number), disk_seed) {}

net::ClusterFile SimSink::cluster() const {
  net::ClusterFile cluster;
  cluster.results = place(name(), "results");
  cluster.notifications = place(name(), "notifications");
  cluster.queries = place(name(), "queries");
  cluster.artifacts = place(name(), "artifacts");
  return cluster;
}

void SimSink::boot() {
  directory_ = disk.open();
  transport_.emplace(fabric_, *this);
  sink::NodeOptions options{cluster(), {}, {}};
  options.retention = {300, kKeptSegments * kSegmentBytes};  // The clock may jump by a year.
  options.store.segment_bytes = kSegmentBytes;
  options.store.entropy = fabric_.world.draw();
  shelf_.emplace(*directory_, fabric_.world.wall_ms());
  questions_.emplace(24h);  // A real clock ends no page: a seed is one run.
  node_.emplace(std::move(options), *transport_, authority_, *directory_, *shelf_, *questions_);
  history_.emplace(*directory_, std::set<std::string>{CompactRules::kProject});
  artifacts_.emplace(transport_->open(net::SocketType::kRouter));
  artifacts_->bind(cluster().artifacts);
  desk_.emplace(*artifacts_, authority_, *shelf_, std::string());
  check_log();  // What was written and not acknowledged before the end is durable now, too.
}

bool SimSink::is_read_by_group() const {
  if (!node_) return false;
  const auto group = node_->log().core().groups().find(GroupRules::kGroup, fabric_.world.now());
  return group && *std::min_element(group->cursors.begin(), group->cursors.end()) == head();
}

std::vector<std::string> SimSink::members() const {
  if (!node_) return {};
  const auto group = node_->log().core().groups().find(GroupRules::kGroup, fabric_.world.now());
  std::vector<std::string> names;
  if (group)
    for (const auto& member : group->members) names.push_back(member.name);
  return names;
}

void SimSink::check_log() {
  const auto& log = node_->log();
  while (questions_->serve(*history_)) {
  }
  protocol::Read read{0, 0, history_->kept_from(), 0, UINT32_MAX};
  while (read.offset < history_->head()) {
    const auto records = history_->read(read);
    ByteReader reader(records->payload);
    while (!reader.is_done())
      on_durable(log.core().log(), reader.take(reader.get<std::uint32_t>()));
    read.offset = records->next;
  }
  fabric_.ledger.on_log_opened(log.core());
  if (!disk.has_flipped_bits()) fabric_.ledger.compact().check(*history_);
}

void SimSink::die() {
  desk_.reset();
  artifacts_.reset();
  history_.reset();
  node_.reset();
  questions_.reset();
  shelf_.reset();
  transport_.reset();
  directory_.reset();
}

std::optional<TimePoint> SimSink::turn() {
  while (fabric_.world.chance(0.7) && questions_->serve(*history_)) {
  }
  auto next = node_->turn();
  if (!questions_->is_idle()) next = std::min(next, fabric_.world.now() + 1ms);
  while (desk_->answer_one()) {
  }
  desk_->collect(fabric_.world.now());
  if (fabric_.world.chance(0.3)) node_->rest();
  return next;
}

void SimSink::on_sent(const protocol::HeadReader& head, const protocol::Message& message) {
  if (head.name() == protocol::Notification::kName) {
    const auto news = *protocol::decode<protocol::Notification>(head, message.payload);
    on_durable(news.log, news.payload);
  } else if (head.name() == protocol::Ack::kName) {
    const auto ack = *protocol::decode<protocol::Ack>(head, message.payload);
    fabric_.ledger.on_ack(ack.run, ack.level);
  } else if (head.name() == protocol::Attending::kName) {
    fabric_.ledger.groups().on_attending(
        *protocol::decode<protocol::Attending>(head, message.payload));
  }
}

// What a durable result names is there, whole.
void SimSink::on_durable(std::uint64_t log, std::string_view encoded) {
  fabric_.ledger.on_durable(log, encoded);
  const auto batch = protocol::read_batch(encoded);
  protocol::ResultReader reader(batch->records);
  for (std::uint32_t i = 0; i < batch->count; ++i) {
    const auto result = reader.next();
    if (result->artifacts.empty()) continue;
    const auto piece = desk_->store().get(hex(result->artifacts), 0, 1 << 20);
    if (!piece || process::sha256(piece->bytes) != result->artifacts)
      throw Violation{
          text(to_text(result->id), " names an artifact that is not whole in the sink")};
  }
}

}  // namespace eole::simulation
