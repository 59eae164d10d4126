#include "tests/simulation/member.hpp"

#include <utility>

#include "common/base/text.hpp"
#include "tests/simulation/fabric.hpp"

namespace eole::simulation {

using protocol::Value;

namespace {
constexpr Duration kForEver = 10'000s;  // Longer than any run: whatever is asked is answered.
}

SimMember::SimMember(Fabric& fabric, SimSink& sink, int number)
    : Process(fabric, text("member", number)), sink_(sink) {}

void SimMember::boot() {
  ++life_;
  starts_again_ = is_leaving_ = false;
  transport_.emplace(fabric_, *this);
  session_.emplace(*transport_);
  asks_.emplace(*session_, sink_.cluster().queries, "the sink");
  create();
}

void SimMember::die() {
  member_.reset();
  pieces_.reset();
  asks_.reset();
  session_.reset();
  transport_.reset();
}

void SimMember::create() {
  const Value options = Value::Map{
      {"group", GroupRules::kGroup}, {"from", 0}, {"partitions", GroupRules::kPartitions}};
  asks_->ask(
      protocol::Control{0, "group_create", options.to_msgpack()},
      [this](const Expected<Value>& answer) {
        if (answer) return after(Duration(0), [this] { join(); });
        after(1s, [this] { create(); });  // A full disk.
        wake();
      },
      kForEver);
  wake();
}

void SimMember::join() {
  const auto on_trouble = [this](const client::GroupTrouble& trouble) {
    if (!trouble.is_over) return;
    starts_again_ = sink_.has_removed(text(name(), ".", life_)) ||
                    sink_.mends(trouble.error.message) || sink_.was_mended();
    if (!starts_again_) throw Violation{"a member cannot read on: " + trouble.error.message};
  };
  pieces_.emplace();
  member_.emplace(*session_, sink_.cluster(), GroupRules::kGroup, text(name(), ".", life_),
                  pieces_->callbacks(on_trouble));
  wake();
}

std::optional<TimePoint> SimMember::turn() {
  session_->turn();
  if (starts_again_) throw ProcessEnds{"starts again"};
  if (member_) read();
  auto next = session_->next_turn();
  if (pieces_ && !pieces_->is_empty())
    next = fabric_.world.now() + fabric_.world.between(1ms, 100ms);
  return next;
}

void SimMember::read() {
  auto& world = fabric_.world;
  auto& core = member_->core();
  auto& rules = fabric_.ledger.groups();
  if (core.has_left()) throw ProcessEnds{"left"};
  if (is_leaving_) return;
  if (core.is_to_let_go() && world.chance(0.8)) {
    if (world.chance(0.8))
      member_->tell(client::CommitWanted{});
    else
      member_->tell(client::LetGo{});
  }
  for (auto most = 1 + world.below(20); most > 0 && core.may_hand_out(world.now()); --most) {
    const auto next = pieces_->take(*member_);
    if (const auto* record = std::get_if<client::GroupRecord>(&next))
      rules.on_handed(core.log(), *record, text(name(), ".", life_), core.generation());
    else if (const auto* gone = std::get_if<client::TellGone>(&next))
      rules.on_gone(core.log(), gone->first, gone->last, sink_.kept_from());
    else
      break;
  }
  if (world.chance(fabric_.is_rough() ? 0.2 : 1)) member_->tell(client::CommitWanted{});
  if (!fabric_.is_rough()) return;
  if (core.is_joined() && world.chance(0.005)) move();
  if (core.is_joined() && world.chance(0.005)) remove_one();
  if (world.chance(0.01)) return pause(world.between(1s, 15s));
  if (world.chance(0.005)) {
    is_leaving_ = true;
    member_->tell(client::LeaveWanted{});
  } else if (world.chance(0.005)) {
    throw ProcessEnds{"is killed"};
  }
}

// As a person does: to be read again, or skipped.
void SimMember::move() {
  const auto offset = fabric_.world.below(sink_.head() + 1);
  fabric_.ledger.groups().on_move(member_->core().log(), offset);
  const Value options = Value::Map{{"group", GroupRules::kGroup}, {"from", offset}};
  asks_->ask(
      protocol::Control{0, "group_move", options.to_msgpack()}, [](const Expected<Value>&) {},
      kForEver);
}

// As a person does, of any of them: itself, too.
void SimMember::remove_one() {
  const auto members = sink_.members();
  if (members.empty()) return;
  const auto& member = members[fabric_.world.below(members.size())];
  sink_.note_removal(member);
  const Value options = Value::Map{{"group", GroupRules::kGroup}, {"member", member}};
  asks_->ask(
      protocol::Control{0, "group_remove_member", options.to_msgpack()},
      [](const Expected<Value>&) {}, kForEver);
}

}  // namespace eole::simulation
