#include "tests/simulation/ledger.hpp"

#include <algorithm>
#include <array>
#include <iterator>

#include "common/base/crc32c.hpp"
#include "common/base/text.hpp"
#include "common/protocol/task_class.hpp"
#include "common/protocol/trace.hpp"
#include "common/protocol/value.hpp"
#include "tests/simulation/task_bodies.hpp"

namespace eole::simulation {

namespace {
constexpr int kAttemptsMax = 5;
}

Ledger::Ledger(const World& world, const Weather& weather)
    : world_(world),
      is_calm_(weather.is_calm()),
      times_(weather.clock_jumps > 0),
      retries_(weather.keeps_workers()),
      limits_(is_calm_),
      shares_(weather.is_prompt()),
      compact_(weather.disk_failures + weather.disk_full + weather.bit_flips > 0) {}

void Ledger::on_submit(const std::string& body, Plan plan) {
  plan.submitted = world_.now();
  tasks_.plan(body, std::move(plan));
}

void Ledger::know(const TaskId& id, std::string_view body) {
  if (!tasks_.know(id, body)) return;
  const auto& plan = *tasks_.find(id)->plan;
  order_.on_known(id, plan);
  projects_.on_known(id, plan);
}

void Ledger::on_answer(const TaskId& id, const std::string& body) {
  auto& task = tasks_.at(id);
  if (!task.body.empty() && task.body != body)
    throw Violation{text(to_text(id), " was promised for two different tasks")};
  task.body = body;
  if (!task.answered) task.answered = world_.now();
  know(id, body);
  tenants_.on_answer(id, task);
  if (body.starts_with(kRival))
    shares_.on_accepted(id, task.plan->task_class.project, longest_of_rival(body), world_.now());
}

std::string Ledger::promised(const TaskId& id) const {
  const auto* task = tasks_.find(id);
  return task == nullptr ? "" : task->body;
}

void Ledger::on_start(const TaskId& id, std::string_view body) {
  ++moved_;
  know(id, body);
  auto& task = tasks_.at(id);
  if (task.plan != nullptr) {
    order_.on_begin(id, *task.plan);
    projects_.on_begin(id, *task.plan);
  }
  ++task.executions;
  const int most = task.plan == nullptr ? 0 : task.plan->task_class.attempts_max;
  if (task.executions > (most == 0 ? kAttemptsMax : most) + 1)
    throw Violation{text(to_text(id), " was executed ", task.executions, " times")};
  if (is_calm_ && task.executions > 1)
    throw Violation{text(to_text(id), " was executed twice in calm weather")};
}

// A result that is not kept any more has no value. What never began has none, nor what ended by
// force.
void Ledger::on_reference(const TaskId& parent, const std::string& value,
                          const protocol::Value& record) const {
  if (record["is_kept"] == protocol::Value(false)) return;
  const auto* end = tasks_.end_of(parent);
  if (end == nullptr || record["state"].text_or("") != to_text(end->state))
    throw Violation{text("a task takes the result of ", to_text(parent), ", which it is told is ",
                         record["state"].text_or("nowhere"))};
  const auto& body = tasks_.find(parent)->body;
  if (end->state == protocol::TaskState::kDone && !body.empty() && value != body)
    throw Violation{text("a task takes something else for the result of ", to_text(parent))};
}

void Ledger::on_run(const TaskId& id, Duration ran, bool was_ended) const {
  const auto* task = tasks_.find(id);
  if (task->plan != nullptr) retries_.on_run(id, *task->plan, ran, was_ended);
}

void Ledger::on_spec(const TaskId& id, std::string_view args, const Plan& plan) const {
  const auto& task = *tasks_.find(id);
  if (task.body.empty()) return;  // Its client does not know yet that it was accepted.
  if (args != task.body) throw Violation{text(to_text(id), " is kept as another task")};
  const auto before = task.plan == nullptr ? 0 : task.plan->conditions.instead_of;
  if (task.plan != nullptr && plan.trace != task.plan->trace)
    throw Violation{text(to_text(id), " is kept as part of another trace")};
  if (plan.conditions.instead_of != (before == 0 ? id.seq : before))
    throw Violation{text(to_text(id), " is kept without its place in its project")};
}

bool Ledger::was_restarted(Origin origin) const {
  const auto found = starts_.find(origin);
  return found != starts_.end() && found->second > 1;
}

void Ledger::on_grant(const Link& link, std::uint64_t limit) {
  auto& most = granted_[link];
  most = std::max(most, limit);
}

void Ledger::on_send_tasks(Origin origin, const Link& link, std::uint64_t last,
                           std::string_view runs) {
  ++moved_;
  ByteReader reader(runs);
  while (const auto run = protocol::read_task_run(reader)) {
    const auto task_class = *protocol::decode_class(run->task_class);
    if (paused_.contains({origin, task_class.project}))
      throw Violation{text("a task of project ", task_class.project, " was sent, which is paused")};
    places_.on_send(link, task_class);
    on_send(*run, origin, task_class);
  }
  if (last > granted_[link])
    throw Violation{text("pipe number ", last, " was sent, the limit is ", granted_[link])};
}

void Ledger::on_send(const protocol::TaskRun& run, Origin origin,
                     const protocol::TaskClass& task_class) {
  limits_.on_send(origin, "kind:" + task_class.kind, run.count, world_.now());
  ByteReader specs(run.specs);
  for (std::uint32_t i = 0; i < run.count; ++i) {
    const auto spec = protocol::read_task_spec(specs);
    if (!spec) throw Violation{"a malformed task was sent"};
    const TaskId id{origin, run.seq + i};
    know(id, spec->args);
    if (run.submitted_unix_ms == 0) throw Violation{text(to_text(id), " was sent, accepted never")};
    on_submitted(id, run.submitted_unix_ms);
    const auto& task = tasks_.at(id);
    if (task.plan != nullptr) {
      // A tenant's keys are its own.
      if (const auto& key = task.plan->conditions.key; !key.empty() && task_class.within.empty())
        limits_.on_send(origin, "key:" + key, 1, world_.now());
      if (spec->trace != task.plan->trace)
        throw Violation{text(to_text(id), " was sent as part of another trace")};
      if (spec->args.starts_with(kRival)) shares_.on_send(id, task_class.project);
      projects_.on_send(id, task);
      times_.on_send(id, *task.plan, was_restarted(origin), world_);
      retries_.on_send(id, *task.plan, was_restarted(origin), world_.now());
    }
  }
}

void Ledger::on_send_results(const protocol::Results& results) {
  ++moved_;
  protocol::ResultReader reader(results.payload);
  for (std::uint32_t i = 0; i < results.count; ++i) {
    const auto result = reader.next();
    if (!result) throw Violation{"a worker sent a malformed result"};
    const Sent sent{result->id, result->lease, result->is_final, result->is_copy};
    const auto [known, is_new] = sent_.try_emplace({results.run, results.first + i}, sent);
    if (!is_new && known->second.id != sent.id)
      throw Violation{text("result number ", results.first + i, " of a run is two tasks'")};
  }
}

void Ledger::on_durable(std::uint64_t log, std::string_view encoded) {
  const auto batch = protocol::read_batch(encoded);
  if (!batch) throw Violation{"the log has a malformed batch"};
  const auto crc = crc32c(encoded);
  const auto [known, is_new] = served_.try_emplace({log, batch->first_offset}, crc);
  if (!is_new && known->second != crc)
    throw Violation{text("log offset ", batch->first_offset, " changed its bytes")};
  if (!is_new) return;
  groups_.on_durable(log, *batch);
  compact_.on_durable(log, *batch);
  protocol::ResultReader reader(batch->records);
  for (std::uint32_t i = 0; i < batch->count; ++i) {
    const auto result = reader.next();
    if (!result) throw Violation{"the log has a malformed result"};
    on_submitted(result->id, result->submitted_unix_ms);
    if (result->is_final) {
      on_final(*result, batch->first_offset + i);
      // A verdict names the last lease, whose end may still come: it counts no more than a copy's.
      ends_[result->id] = batch->worker.empty() ? Lease{} : result->lease;
      continue;
    }
    if (result->is_copy) {
      on_copy(*result, log, !batch->worker.empty());
      continue;
    }
    if (!failures_[result->id].insert(result->lease).second && !tasks_.is_over(result->id))
      throw Violation{text("the log has one failure of ", to_text(result->id), " twice")};
    retries_.on_failed(*result, world_.now());
  }
}

// Of one that damage took nobody knows.
void Ledger::on_submitted(const TaskId& id, std::int64_t unix_ms) {
  auto& known = tasks_.at(id).submitted_unix_ms;
  if (unix_ms != 0 && known != 0 && unix_ms != known)
    throw Violation{text(to_text(id), " was accepted at ", known, ", and at ", unix_ms)};
  if (unix_ms != 0) known = unix_ms;
}

// Of a task that may run twice, beside the attempt that counts; a worker tells it once.
void Ledger::on_copy(const protocol::ResultRecord& result, std::uint64_t log, bool is_told) {
  const auto& task = tasks_.at(result.id);
  if (task.plan != nullptr && task.plan->task_class.speculate == 0)
    throw Violation{text(to_text(result.id), " has a copy, and did not ask for one")};
  const auto end = ends_.find(result.id);
  if (end != ends_.end() && end->second == result.lease)
    throw Violation{text(to_text(result.id), " was ended by what the log calls its copy")};
  if (is_told && !copies_[{result.id, result.lease}].insert(log).second)
    throw Violation{text("the log has the end of one copy of ", to_text(result.id), " twice")};
}

void Ledger::on_final(const protocol::ResultRecord& result, std::uint64_t offset) {
  const auto& id = result.id;
  auto& task = tasks_.at(id);
  if (task.end)
    throw Violation{
        text(to_text(id), " was settled twice, at ", task.end->offset, " and at ", offset)};
  task.end = {result.state, std::string(result.project), offset};
  if (result.project == text(kTracked, protocol::kCollectSuffix))
    projects_.on_last_ended(id, std::string(kTracked));
  // The result is of the task that was promised under this id, and a retry was not cut short.
  if (result.state == protocol::TaskState::kFailed && task.body.starts_with(kFailing) &&
      task.executions > 0)
    throw Violation{text(to_text(id), " failed for good, and had attempts left")};
  const auto mark = class_mark(result.kind, result.project);
  if (!task.body.empty() && !task.body.ends_with(mark))
    throw Violation{text(to_text(id), " ended as", mark, ", and is: ", task.body)};
  const auto body = protocol::Value::from_msgpack(result.body);
  if (result.state == protocol::TaskState::kDead) check_dead(result, task);
  if (body && task.plan != nullptr &&
      (*body)["traceparent"].text_or("") != protocol::traceparent_of(task.plan->trace) &&
      !(*body)["error"].text_or("").ends_with("is not in the sink"))
    throw Violation{text(to_text(id), " ended as part of another trace")};
  if (task.body.starts_with(kRival)) shares_.on_settled(id, std::string(result.project));
  if (task.plan != nullptr && projects_.may_be_cancelled(id.origin, task.plan->task_class.project))
    task.may_be_cancelled = true;
  if (task.plan != nullptr && task.executions == 0) order_.on_unbegun_end(id, task);
  if (body && (*body)["error"].text_or("").ends_with("is not in the sink"))
    throw Violation{text(to_text(id), " lost an artifact that the sink had confirmed")};
  const auto value = body ? (*body)["value"].text_or("") : "";
  if (value.empty() || result.project == kBeats) return;
  const auto [first, is_first] = done_.try_emplace(value, id);
  if (!is_first)
    throw Violation{
        text(to_text(id), " and ", to_text(first->second), " are one task, accepted twice")};
  if (!task.body.empty() && value != task.body)
    throw Violation{text(to_text(id), " has the result of another task")};
}

// A dead letter can be replayed, and says why each attempt came to nothing.
void Ledger::check_dead(const protocol::ResultRecord& letter, const SeenTask& task) const {
  const auto& promised = task.body;
  const auto body = protocol::Value::from_msgpack(letter.body);
  if (!body) throw Violation{text(to_text(letter.id), " is dead, and its letter malformed")};
  const auto* reasons = (*body)["reasons"].as<protocol::Value::Array>();
  if (reasons == nullptr || reasons->empty())
    throw Violation{text(to_text(letter.id), " is dead, and its letter does not say why")};
  retries_.on_dead(letter, task.executions);
  const auto* raw = (*body)["spec"].as<protocol::Blob>();
  ByteReader reader(raw == nullptr ? std::string_view() : std::string_view(raw->bytes));
  const auto group = protocol::read_task_group(reader);
  ByteReader specs(group ? group->specs : std::string_view());
  const auto spec = protocol::read_task_spec(specs);
  if (!spec || (!promised.empty() && spec->args != promised))
    throw Violation{text(to_text(letter.id), " is dead, and its letter cannot be replayed")};
  // What a worker received it holds until the sink has its result. (A failure that was logged
  // while the ventilator was away is known by its absence only.)
  for (const auto& reason : *reasons)
    if (!spec->args.starts_with(kFailing) && reason.text_or("").ends_with("no longer had it"))
      throw Violation{text(to_text(letter.id),
                           " is dead, and of one attempt nothing is known: ", reason.text_or(""))};
}

void Ledger::on_served(std::uint64_t log, std::string_view encoded) const {
  const auto batch = protocol::read_batch(encoded);
  if (!batch) throw Violation{"a subscriber was served a malformed batch"};
  const auto known = served_.find({log, batch->first_offset});
  if (known == served_.end() || known->second != crc32c(encoded))
    throw Violation{
        text("log offset ", batch->first_offset, " was served, and is not what is durable there")};
}

void Ledger::on_log_opened(const sink::Settler& log) const {
  std::map<std::string, std::array<std::uint64_t, 5>> projects;
  for (const auto& [id, task] : tasks_.all()) {
    if (!task.end || !log.origins().is_settled(id)) continue;
    const auto state = log.origins().not_done(id.origin).state_of(id.seq);
    if (state != task.end->state)
      throw Violation{text(to_text(id), " is ", to_text(task.end->state),
                           ", and the log took it for ", to_text(state))};
    ++projects[task.end->project][static_cast<std::size_t>(state)];
  }
  for (const auto& [name, counts] : projects) {
    const auto* found = log.projects().find(name);
    if (!name.empty() && (found == nullptr || found->counts != counts))
      throw Violation{text("the log counts other tasks of project ", name)};
  }
}

void Ledger::on_ack(RunId run, std::uint64_t level) {
  auto& checked = levels_[run];
  while (checked < level) {
    const auto found = sent_.find({run, ++checked});
    if (found == sent_.end()) continue;  // Of an earlier message that told a floor only.
    const auto& sent = found->second;
    if (!is_logged(sent))
      throw Violation{text("result ", checked, ", of ", to_text(sent.id),
                           ", was acknowledged and is not durable")};
  }
}

// A late result is dropped, but for a copy's that comes soon enough.
bool Ledger::is_logged(const Sent& sent) const {
  if (tasks_.is_over(sent.id) || sent.is_copy) return true;
  const auto failed = failures_.find(sent.id);
  // The sink knows the latest leases only.
  return !sent.is_final && failed != failures_.end() &&
         (failed->second.contains(sent.lease) ||
          std::distance(failed->second.upper_bound(sent.lease), failed->second.end()) >=
              static_cast<std::ptrdiff_t>(sink::kFailedLeasesMax));
}

void Ledger::on_forget(const TaskId& id) const {
  if (!tasks_.is_over(id))
    throw Violation{text(to_text(id), " was forgotten, and is not durable in the log")};
}

void Ledger::on_start_of(Origin origin, Seq last, const SeqRanges& settled) {
  ++starts_[origin];
  limits_.on_ventilator_starts(origin);
  const auto& all = tasks_.all();
  for (auto at = all.lower_bound({origin, 0}); at != all.end() && at->first.origin == origin;
       ++at) {
    const auto& [id, task] = *at;
    if (task.body.empty()) continue;
    if (id.seq > last)
      throw Violation{text(to_text(id), " was answered, and the journal has lost it")};
    if (settled.contains(id.seq) && !task.end)
      throw Violation{text(to_text(id), " is taken for settled, and is not durable in the log")};
  }
}

std::vector<Seq> Ledger::expired(Origin origin) const {
  std::vector<Seq> found;
  if (was_restarted(origin)) return found;  // First it must know what its workers have.
  const auto& all = tasks_.all();
  for (auto at = all.lower_bound({origin, 0}); at != all.end() && at->first.origin == origin; ++at)
    if (times_.has_expired(at->second, world_)) found.push_back(at->first.seq);
  return found;
}

void Ledger::check_beats(Origin origin, const protocol::Value& schedule) const {
  const auto fired = schedule["fired"].int_or(0);
  std::int64_t tasks = 0;
  const auto& all = tasks_.all();
  for (auto at = all.lower_bound({origin, 0}); at != all.end() && at->first.origin == origin; ++at)
    if (at->second.end && at->second.end->project == kBeats) ++tasks;
  if (tasks != fired) throw Violation{text(fired, " beats came, and ", tasks, " tasks of them")};
  const auto time = schedule["last"].int_or(0) - schedule["since"].int_or(0);
  if (fired > 0 && fired > time / schedule["every_ms"].int_or(1))
    throw Violation{text(fired, " beats came in ", time, " ms: one of them twice")};
}

void Ledger::check_end() const {
  for (const auto& [id, task] : tasks_.all())
    if (!task.body.empty() && !task.end)
      throw Violation{text(to_text(id), " was accepted and is not settled")};
  projects_.check_end();
}

}  // namespace eole::simulation
