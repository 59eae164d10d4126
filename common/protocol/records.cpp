#include "common/protocol/records.hpp"

#include "common/base/text.hpp"
#include "common/protocol/trace.hpp"

namespace eole::protocol {

namespace {

constexpr char kConditional = 1;
constexpr char kTraced = 2;
constexpr std::uint8_t kFinal = 1;
constexpr std::uint8_t kUnconfirmed = 2;
constexpr std::uint8_t kMayHaveCopy = 4;
constexpr std::uint8_t kCopy = 8;
constexpr std::size_t kSha256Bytes = 32;

void put_id(Bytes& out, const TaskId& id, const Lease& lease) {
  put<std::uint32_t>(out, id.origin);
  put<std::uint64_t>(out, id.seq);
  put<std::uint32_t>(out, lease.start);
  put<std::uint64_t>(out, lease.number);
}

void read_id(ByteReader& reader, TaskId& id, Lease& lease) {
  id.origin = reader.get<std::uint32_t>();
  id.seq = reader.get<std::uint64_t>();
  lease.start = reader.get<std::uint32_t>();
  lease.number = reader.get<std::uint64_t>();
}

}  // namespace

void put_task_spec(Bytes& out, const TaskSpec& spec) {
  char header[TaskSpec::kHeaderBytes] = {};
  if (!spec.conditions.empty()) header[0] = kConditional;
  if (!spec.trace.empty()) header[0] = static_cast<char>(header[0] | kTraced);
  write_at<std::uint32_t>(header, 1, static_cast<std::uint32_t>(spec.args.size()));
  out.append(header, sizeof header);
  if (!spec.conditions.empty()) {
    put<std::uint16_t>(out, static_cast<std::uint16_t>(spec.conditions.size()));
    out += spec.conditions;
  }
  out += spec.trace;
  out += spec.args;
}

bool has_conditions(std::string_view spec) {
  return !spec.empty() && (spec[0] & kConditional) != 0;
}

std::optional<TaskSpec> read_task_spec(ByteReader& reader) {
  const auto header = reader.take(TaskSpec::kHeaderBytes);
  if (!reader.ok() || (header[0] & ~(kConditional | kTraced)) != 0) return std::nullopt;
  const auto args_bytes = read_at<std::uint32_t>(header, 1);
  TaskSpec spec;
  if (has_conditions(header)) {
    spec.conditions = reader.take(reader.get<std::uint16_t>());
    if (spec.conditions.empty() || spec.conditions.size() > kConditionsBytesMax)
      return std::nullopt;
  }
  if ((header[0] & kTraced) != 0) {
    spec.trace = reader.take(kTraceBytes);
    if (!is_trace(spec.trace)) return std::nullopt;
  }
  spec.args = reader.take(args_bytes);
  if (!reader.ok() || args_bytes > kTaskBytesMax) return std::nullopt;
  return spec;
}

Expected<std::uint32_t> count_task_specs(std::string_view payload, bool have_conditions) {
  ByteReader reader(payload);
  std::uint32_t count = 0;
  while (!reader.is_done()) {
    const auto spec = read_task_spec(reader);
    if (!spec || spec->conditions.empty() == have_conditions)
      return Error{text("task ", count, " of the message: malformed, or arguments over ",
                        kTaskBytesMax, " bytes")};
    if (++count > kTasksPerMessageMax)
      return Error{text("more than ", kTasksPerMessageMax, " tasks in one message")};
  }
  return count;
}

void put_acceptance(Bytes& out, const Acceptance& acceptance) {
  put<std::uint64_t>(out, acceptance.request);
  put<std::uint64_t>(out, acceptance.first);
  put<std::uint32_t>(out, acceptance.count);
}

std::optional<Acceptance> read_acceptance(ByteReader& reader) {
  Acceptance acceptance;
  acceptance.request = reader.get<std::uint64_t>();
  acceptance.first = reader.get<std::uint64_t>();
  acceptance.count = reader.get<std::uint32_t>();
  if (!reader.ok()) return std::nullopt;
  return acceptance;
}

void put_task_run(Bytes& out, const TaskRun& run) {
  char header[TaskRun::kHeaderBytes] = {};
  write_at<std::uint64_t>(header, 0, run.seq);
  write_at<std::uint64_t>(header, 8, run.lease_number);
  write_at<std::int64_t>(header, 16, run.submitted_unix_ms);
  write_at<std::uint16_t>(header, 24, run.attempt);
  write_at<std::uint16_t>(header, 26, static_cast<std::uint16_t>(run.task_class.size()));
  write_at<std::uint16_t>(header, 28, static_cast<std::uint16_t>(run.lost.size()));
  write_at<std::uint32_t>(header, 30, run.count);
  write_at<std::uint32_t>(header, 34, static_cast<std::uint32_t>(run.specs.size()));
  out.append(header, sizeof header);
  out += run.task_class;
  out += run.lost;
  out += run.specs;
}

void extend_task_run(Bytes& out, std::size_t run_at, std::uint32_t count, std::string_view specs) {
  out += specs;
  char* header = out.data() + run_at;
  const std::string_view before(header, TaskRun::kHeaderBytes);
  const auto more = static_cast<std::uint32_t>(specs.size());
  write_at<std::uint32_t>(header, 30, read_at<std::uint32_t>(before, 30) + count);
  write_at<std::uint32_t>(header, 34, read_at<std::uint32_t>(before, 34) + more);
}

std::optional<TaskRun> read_task_run(ByteReader& reader) {
  const auto header = reader.take(TaskRun::kHeaderBytes);
  if (!reader.ok()) return std::nullopt;
  TaskRun run;
  run.seq = read_at<std::uint64_t>(header, 0);
  run.lease_number = read_at<std::uint64_t>(header, 8);
  run.submitted_unix_ms = read_at<std::int64_t>(header, 16);
  run.attempt = read_at<std::uint16_t>(header, 24);
  run.count = read_at<std::uint32_t>(header, 30);
  run.task_class = reader.take(read_at<std::uint16_t>(header, 26));
  run.lost = reader.take(read_at<std::uint16_t>(header, 28));
  run.specs = reader.take(read_at<std::uint32_t>(header, 34));
  if (!reader.ok() || (!run.lost.empty() && run.count > 1)) return std::nullopt;
  return run;
}

Bytes encode_held(const std::vector<Held>& held) {
  Bytes out;
  for (const auto& task : held) {
    put_id(out, task.id, task.lease);
    put<std::uint8_t>(out, static_cast<std::uint8_t>(task.state));
  }
  return out;
}

Expected<std::vector<Held>> decode_held(std::string_view payload) {
  std::vector<Held> held;
  ByteReader reader(payload);
  while (!reader.is_done()) {
    Held task;
    read_id(reader, task.id, task.lease);
    const auto state = reader.get<std::uint8_t>();
    if (!reader.ok() || state < 1 || state > 4) return Error{"held record: malformed"};
    task.state = static_cast<HeldState>(state);
    held.push_back(task);
  }
  return held;
}

Bytes encode_orders(const std::vector<Order>& orders) {
  Bytes out;
  for (const auto& order : orders) {
    put<std::uint8_t>(out, static_cast<std::uint8_t>(order.kind));
    put_id(out, order.id, order.lease);
  }
  return out;
}

Expected<std::vector<Order>> decode_orders(std::string_view payload) {
  std::vector<Order> orders;
  ByteReader reader(payload);
  while (!reader.is_done()) {
    Order order;
    const auto kind = reader.get<std::uint8_t>();
    read_id(reader, order.id, order.lease);
    if (!reader.ok() || kind < 1 || kind > 4) return Error{"order record: malformed"};
    order.kind = static_cast<OrderKind>(kind);
    orders.push_back(order);
  }
  return orders;
}

std::string_view to_text(TaskState state) {
  switch (state) {
    case TaskState::kDone:
      return "done";
    case TaskState::kFailed:
      return "failed";
    case TaskState::kDead:
      return "dead";
    case TaskState::kCancelled:
      return "cancelled";
  }
  return "?";
}

namespace {

// The size of a body that is whole.
std::size_t first_body_bytes(std::string_view bodies) {
  return sizeof(std::uint32_t) + read_at<std::uint32_t>(bodies, 0);
}

}  // namespace

ResultRun ResultRun::behind(std::uint32_t skipped) const {
  auto rest = *this;
  rest.first.id.seq += skipped;
  rest.first.lease.number += skipped;
  rest.count -= skipped;
  for (; skipped > 0; --skipped) rest.bodies.remove_prefix(first_body_bytes(rest.bodies));
  return rest;
}

ResultRun ResultRun::alone() const {
  return {first, 1, bodies.substr(0, first_body_bytes(bodies))};
}

ResultRecord ResultRun::record() const {
  auto result = first;
  result.body = bodies.substr(sizeof(std::uint32_t), read_at<std::uint32_t>(bodies, 0));
  return result;
}

void put_result_run(Bytes& out, const ResultRun& run) {
  const auto& result = run.first;
  char header[ResultRun::kHeaderBytes] = {};
  write_at<std::uint32_t>(header, 0, result.id.origin);
  write_at<std::uint64_t>(header, 4, result.id.seq);
  write_at<std::uint32_t>(header, 12, result.lease.start);
  write_at<std::uint64_t>(header, 16, result.lease.number);
  write_at<std::uint16_t>(header, 24, result.attempt);
  header[26] = static_cast<char>(result.state);
  header[27] = static_cast<char>(
      (result.is_final ? kFinal : 0) | (result.is_unconfirmed ? kUnconfirmed : 0) |
      (result.may_have_copy ? kMayHaveCopy : 0) | (result.is_copy ? kCopy : 0));
  write_at<std::int64_t>(header, 28, result.finished_unix_ms);
  write_at<std::int64_t>(header, 36, result.submitted_unix_ms);
  write_at<std::uint64_t>(header, 44, result.run_us);
  header[52] = static_cast<char>(result.kind.size());
  header[53] = static_cast<char>(result.project.size());
  header[54] = static_cast<char>(result.artifacts.size() / kSha256Bytes);
  header[55] = static_cast<char>(result.key.size());
  write_at<std::uint32_t>(header, 56, run.count);
  write_at<std::uint32_t>(header, 60, static_cast<std::uint32_t>(run.bodies.size()));
  out.append(header, sizeof header);
  out += result.kind;
  out += result.project;
  out += result.artifacts;
  out += result.key;
  out += run.bodies;
}

std::optional<ResultRun> read_result_run(ByteReader& reader) {
  const auto header = reader.take(ResultRun::kHeaderBytes);
  if (!reader.ok()) return std::nullopt;
  ResultRun run;
  auto& first = run.first;
  first.id.origin = read_at<std::uint32_t>(header, 0);
  first.id.seq = read_at<std::uint64_t>(header, 4);
  first.lease.start = read_at<std::uint32_t>(header, 12);
  first.lease.number = read_at<std::uint64_t>(header, 16);
  first.attempt = read_at<std::uint16_t>(header, 24);
  const auto state = read_at<std::uint8_t>(header, 26);
  const auto flags = read_at<std::uint8_t>(header, 27);
  first.finished_unix_ms = read_at<std::int64_t>(header, 28);
  first.submitted_unix_ms = read_at<std::int64_t>(header, 36);
  first.run_us = read_at<std::uint64_t>(header, 44);
  run.count = read_at<std::uint32_t>(header, 56);
  first.kind = reader.take(read_at<std::uint8_t>(header, 52));
  first.project = reader.take(read_at<std::uint8_t>(header, 53));
  first.artifacts = reader.take(read_at<std::uint8_t>(header, 54) * kSha256Bytes);
  first.key = reader.take(read_at<std::uint8_t>(header, 55));
  run.bodies = reader.take(read_at<std::uint32_t>(header, 60));
  if (!reader.ok() || state < 1 || state > 4) return std::nullopt;
  if (first.id.seq == 0 || run.count == 0 || first.id.seq > UINT64_MAX - run.count)
    return std::nullopt;
  if (!(first.artifacts.empty() && first.key.empty()) && run.count > 1) return std::nullopt;
  ByteReader bodies(run.bodies);
  for (std::uint32_t i = 0; i < run.count && bodies.ok(); ++i)
    bodies.take(bodies.get<std::uint32_t>());
  if (!bodies.ok() || !bodies.is_done()) return std::nullopt;
  first.state = static_cast<TaskState>(state);
  first.is_copy = (flags & kCopy) != 0;
  first.is_final = (flags & kFinal) != 0 && !first.is_copy;
  first.may_have_copy = (flags & kMayHaveCopy) != 0;
  first.is_unconfirmed = (flags & kUnconfirmed) != 0;
  return run;
}

void put_body(Bytes& out, std::string_view body) {
  put<std::uint32_t>(out, static_cast<std::uint32_t>(body.size()));
  out += body;
}

void put_result(Bytes& out, const ResultRecord& result) {
  Bytes body;
  put_body(body, result.body);
  put_result_run(out, {result, 1, body});
}

std::optional<ResultRecord> ResultReader::next() {
  if (!run_) {
    if (rest_.is_done()) return std::nullopt;
    run_ = read_result_run(rest_);
    if (!run_) return std::nullopt;
  }
  const auto result = run_->record();
  if (run_->count == 1) {
    run_.reset();
  } else {
    run_ = run_->behind(1);
  }
  return result;
}

Bytes encode_batch(const ResultBatch& batch) {
  Bytes out;
  out.reserve(ResultBatch::kHeaderBytes + batch.worker.size() + batch.records.size());
  put<std::uint64_t>(out, batch.first_offset);
  put<std::uint64_t>(out, batch.run);
  put<std::uint64_t>(out, batch.level);
  put<std::uint32_t>(out, batch.count);
  put<std::uint16_t>(out, static_cast<std::uint16_t>(batch.worker.size()));
  put<std::uint32_t>(out, batch.pid);
  out += batch.worker;
  out += batch.records;
  return out;
}

std::optional<ResultBatch> read_batch(std::string_view bytes) {
  ByteReader reader(bytes);
  ResultBatch batch;
  batch.first_offset = reader.get<std::uint64_t>();
  batch.run = reader.get<std::uint64_t>();
  batch.level = reader.get<std::uint64_t>();
  batch.count = reader.get<std::uint32_t>();
  const auto worker_bytes = reader.get<std::uint16_t>();
  batch.pid = reader.get<std::uint32_t>();
  batch.worker = reader.take(worker_bytes);
  if (!reader.ok()) return std::nullopt;
  batch.records = reader.rest();
  return batch;
}

void Settlement::add(const Range& range, TaskState state) {
  const auto joins = [&](const Range& before) { return before.last + 1 == range.first; };
  if (!ranges.empty() && joins(ranges.back())) {
    ranges.back().last = range.last;
  } else {
    ranges.push_back(range);
  }
  if (state == TaskState::kDone) return;
  if (!not_done.empty() && not_done.back().state == state && joins(not_done.back().range)) {
    not_done.back().range.last = range.last;
  } else {
    not_done.push_back({range, state});
  }
}

void Settlement::add(const Settlement& later) {
  for (const auto& range : later.ranges) add(range);
  not_done.insert(not_done.end(), later.not_done.begin(), later.not_done.end());
  ran.insert(ran.end(), later.ran.begin(), later.ran.end());
  failures.insert(failures.end(), later.failures.begin(), later.failures.end());
}

namespace {

void put_range(Bytes& out, const Settlement::Range& range) {
  put<std::uint64_t>(out, range.first);
  put<std::uint64_t>(out, range.last);
}

std::optional<Settlement::Range> read_range(ByteReader& reader) {
  const auto first = reader.get<std::uint64_t>();
  const auto last = reader.get<std::uint64_t>();
  if (!reader.ok() || first == 0 || first > last || last == UINT64_MAX) return std::nullopt;
  return Settlement::Range{first, last};
}

}  // namespace

Bytes encode_settlement(const Settlement& settlement) {
  Bytes out;
  put<std::uint32_t>(out, static_cast<std::uint32_t>(settlement.ranges.size()));
  put<std::uint32_t>(out, static_cast<std::uint32_t>(settlement.not_done.size()));
  put<std::uint32_t>(out, static_cast<std::uint32_t>(settlement.ran.size()));
  for (const auto& range : settlement.ranges) put_range(out, range);
  for (const auto& end : settlement.not_done) {
    put<std::uint8_t>(out, static_cast<std::uint8_t>(end.state));
    put_range(out, end.range);
  }
  for (const auto& ran : settlement.ran) {
    put<std::uint64_t>(out, ran.seq);
    put<std::uint32_t>(out, ran.attempts);
    put<std::uint64_t>(out, ran.us);
  }
  for (const auto& failure : settlement.failures) {
    put<std::uint64_t>(out, failure.seq);
    put<std::uint32_t>(out, failure.lease.start);
    put<std::uint64_t>(out, failure.lease.number);
    put<std::uint32_t>(out, failure.retry_after_ms);
    put<std::uint8_t>(out, static_cast<std::uint8_t>(failure.cause.size()));
    put<std::uint16_t>(out, static_cast<std::uint16_t>(failure.reason.size()));
    out += failure.cause;
    out += failure.reason;
  }
  return out;
}

Expected<Settlement> decode_settlement(std::string_view payload) {
  Settlement settlement;
  ByteReader reader(payload);
  const auto settled = reader.get<std::uint32_t>();
  const auto not_done = reader.get<std::uint32_t>();
  const auto ran = reader.get<std::uint32_t>();
  for (std::uint32_t i = 0; i < settled; ++i) {
    const auto range = read_range(reader);
    if (!range) return Error{"settlement: malformed range"};
    settlement.ranges.push_back(*range);
  }
  for (std::uint32_t i = 0; i < not_done; ++i) {
    const auto state = static_cast<TaskState>(reader.get<std::uint8_t>());
    const auto range = read_range(reader);
    if (!range || state < TaskState::kFailed || state > TaskState::kCancelled)
      return Error{"settlement: malformed end"};
    settlement.not_done.push_back({*range, state});
  }
  for (std::uint32_t i = 0; i < ran; ++i) {
    Settlement::Ran one;
    one.seq = reader.get<std::uint64_t>();
    one.attempts = reader.get<std::uint32_t>();
    one.us = reader.get<std::uint64_t>();
    if (!reader.ok() || one.attempts == 0) return Error{"settlement: malformed time"};
    settlement.ran.push_back(one);
  }
  while (reader.ok() && !reader.is_done()) {
    Settlement::Failure failure;
    failure.seq = reader.get<std::uint64_t>();
    failure.lease.start = reader.get<std::uint32_t>();
    failure.lease.number = reader.get<std::uint64_t>();
    failure.retry_after_ms = reader.get<std::uint32_t>();
    const auto cause_bytes = reader.get<std::uint8_t>();
    const auto reason_bytes = reader.get<std::uint16_t>();
    failure.cause = reader.take(cause_bytes);
    failure.reason = reader.take(reason_bytes);
    settlement.failures.push_back(std::move(failure));
  }
  if (!reader.ok()) return Error{"settlement: cut short"};
  return settlement;
}

}  // namespace eole::protocol
