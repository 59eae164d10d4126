#include "tests/simulation/tenant.hpp"

#include <algorithm>

#include "common/base/seq_ranges.hpp"
#include "common/base/text.hpp"
#include "tests/simulation/fabric.hpp"
#include "tests/simulation/task_bodies.hpp"

namespace eole::simulation {

using protocol::Value;

// By an operator, who is within nothing.
void Tenant::begin(Origin origin) {
  origin_ = origin;
  const auto most = 1 + fabric_.world.below(4);
  const auto scope = text("tenant:", kPrefix);
  control("limit", Value::Map{{"scope", scope}, {"queued", most}},
          [this, origin, most](const Expected<Value>& answer) {
            if (!answer)  // A full disk.
              return client_.after(1s, [this, origin] { begin(origin); });
            fabric_.ledger.tenants().on_quota(origin_, kPrefix, most);
            step();
          });
}

void Tenant::step() {
  if (steps_ == 0) return;
  --steps_;
  const auto draw = fabric_.world.below(8);
  if (draw < 4)
    submit();
  else
    draw == 4 ? cancel() : draw == 5 ? look() : draw == 6 ? read() : meddle();
  client_.after(fabric_.world.between(1ms, 1s), [this] { step(); });
}

void Tenant::ask_within(client::Asks& asks, client::Question question,
                        client::Asks::OnAnswer on_answer) {
  std::visit([](auto& one) { one.within = kPrefix; }, question);
  ++asked_;
  asks.ask(
      std::move(question),
      [this, told = std::move(on_answer)](const Expected<Value>& answer) {
        --asked_;
        told(answer);
      },
      kForEver);
  client_.wake();
}

void Tenant::submit() {
  auto& world = fabric_.world;
  Plan plan{{"work", text(kPrefix, "p", world.below(2))}};
  plan.task_class.within = kPrefix;
  if (world.chance(0.3)) plan.conditions.key = text("k", world.below(3));
  const auto known = fabric_.ledger.tenants().known(origin_);
  if (!known.empty() && world.chance(0.4)) {
    plan.parents.push_back({known[world.below(known.size())]});
    protocol::put_parent(plan.conditions.parents, plan.parents.front());
  }
  auto body = text("plain tenant.", world.draw(), class_mark("work", plan.task_class.project));
  submit_(std::move(body), std::move(plan));
}

// Of all tasks that are known some: others' are not cancelled.
void Tenant::cancel() {
  SeqRanges seqs;
  for (const auto& id : fabric_.ledger.tenants().known(origin_)) {
    if (!fabric_.world.chance(0.3)) continue;
    seqs.add(id.seq, id.seq);
    if (fabric_.ledger.tenants().is_inside(kPrefix, id)) fabric_.ledger.on_cancel(id);
  }
  ask_within(asks_, protocol::Cancel{0, origin_, seqs.encode()},
             [this](const Expected<Value>& told) {
               if (!told) return;
               for (const auto& range : *(*told)["cancelling"].as<Value::Array>()) {
                 const auto& ends = *range.as<Value::Array>();
                 for (auto seq = ends[0].int_or(0); seq <= ends[1].int_or(0); ++seq) {
                   const TaskId id{origin_, static_cast<Seq>(seq)};
                   if (!fabric_.ledger.tenants().is_inside(kPrefix, id))
                     throw Violation{text("who is within ", kPrefix, " cancels ", to_text(id))};
                 }
               }
             });
}

// A list of either role: {what: [{"project"} …]}.
void Tenant::look() {
  const auto draw = fabric_.world.below(3);
  const std::string what = draw == 0 ? "tasks" : "projects";
  ask_within(draw == 2 ? sink_ : asks_, protocol::Query{0, what, 0, 0, {}},
             [what](const Expected<Value>& told) {
               if (!told) return;
               for (const auto& one : *(*told)[what].as<Value::Array>())
                 TenantRules::on_seen(kPrefix, one["project"].text_or(""));
             });
}

void Tenant::read() {
  ask_within(sink_, protocol::Read{0, 0, offset_, 0, 4096}, [this](const Expected<Value>& told) {
    const auto* records = told ? (*told)["records"].as<protocol::Blob>() : nullptr;
    if (records == nullptr) {  // Not kept there any more, or a log that was mended.
      offset_ = told ? static_cast<std::uint64_t>((*told)["kept_from"].int_or(0)) : 0;
      return;
    }
    offset_ = static_cast<std::uint64_t>((*told)["next"].int_or(0));
    for (ByteReader batches(records->bytes); !batches.is_done();) {
      const auto batch = protocol::read_batch(batches.take(batches.get<std::uint32_t>()));
      protocol::ResultReader results(batch->records);
      for (std::uint32_t i = 0; i < batch->count; ++i)
        TenantRules::on_seen(kPrefix, results.next()->project);
    }
  });
}

// With what is not its own. A pause of that would last.
void Tenant::meddle() {
  const bool is_pause = fabric_.world.chance(0.5);
  const Value options = is_pause ? Value(Value::Map{{"scope", "project:p0"}})
                                 : Value(Value::Map{{"project", kTracked}, {"after", 0}});
  const std::string what = is_pause ? "pause" : "cancel";
  ask_within(asks_, protocol::Control{0, what, options.to_msgpack()},
             [what](const Expected<Value>& told) {
               if (told)
                 throw Violation{text("who is within ", kPrefix, " may ", what, " outside")};
             });
}

}  // namespace eole::simulation
