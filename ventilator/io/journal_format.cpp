#include "ventilator/io/journal_format.hpp"

#include "common/base/planted.hpp"
#include "common/protocol/records.hpp"

namespace eole::ventilator {

namespace {

void put_text(Bytes& out, std::string_view text) {
  put<std::uint32_t>(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}
std::string get_text(ByteReader& reader) {
  return std::string(reader.take(reader.get<std::uint32_t>()));
}

void put_answered(Bytes& out, const Answered& answered) {
  put_text(out, answered.hash);
  put<std::uint64_t>(out, answered.first);
  put<std::uint32_t>(out, answered.count);
}
Answered get_answered(ByteReader& reader) {
  Answered answered;
  answered.hash = get_text(reader);
  answered.first = reader.get<std::uint64_t>();
  answered.count = reader.get<std::uint32_t>();
  return answered;
}

// Reads `count` items; stops as soon as the bytes end, so that a count alone never loops long.
template <class Read>
void repeat(ByteReader& reader, Read read) {
  const auto count = reader.get<std::uint64_t>();
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) read();
}

}  // namespace

Bytes encode(const StartRecord& start, Seq last) {
  Bytes out;
  put<std::uint32_t>(out, start.origin);
  put<std::uint32_t>(out, start.start);
  put<std::uint64_t>(out, last);
  put_text(out, start.boot_id);
  return out;
}

bool decode(std::string_view payload, StartRecord& start, Seq& last) {
  ByteReader reader(payload);
  start.origin = reader.get<std::uint32_t>();
  start.start = reader.get<std::uint32_t>();
  last = reader.get<std::uint64_t>();
  start.boot_id = get_text(reader);
  return reader.ok() && reader.is_done();
}

Bytes encode_head(const TasksRecord& record) {
  Bytes out;
  out.reserve(64 + record.key.size() + record.hash.size());
  put<std::uint64_t>(out, record.first);
  put<std::uint32_t>(out, record.count);
  put<std::uint8_t>(out, record.attempts_max);
  put<std::int64_t>(out, record.submitted_unix_ms);
  put<std::uint64_t>(out, record.run);
  put<std::uint64_t>(out, record.request);
  put<std::uint64_t>(out, record.confirmed);
  put_text(out, record.key);
  put_text(out, record.hash);
  return out;
}

bool decode(std::string_view payload, TasksRecord& out) {
  ByteReader reader(payload);
  out.first = reader.get<std::uint64_t>();
  out.count = reader.get<std::uint32_t>();
  out.attempts_max = reader.get<std::uint8_t>();
  out.submitted_unix_ms = reader.get<std::int64_t>();
  out.run = reader.get<std::uint64_t>();
  out.request = reader.get<std::uint64_t>();
  out.confirmed = reader.get<std::uint64_t>();
  out.key = get_text(reader);
  out.hash = get_text(reader);
  out.specs = reader.rest();
  return reader.ok();
}

Bytes encode(const JournalNote& note) {
  Bytes out;
  put<std::uint64_t>(out, note.run);
  put<std::uint32_t>(out, note.start);
  for (const auto& run : note.runs) {
    put<std::uint64_t>(out, run.seq);
    put<std::uint64_t>(out, run.lease_number);
    put<std::uint32_t>(out, run.count);
    put<std::uint16_t>(out, run.attempt);
  }
  return out;
}

bool decode(std::string_view payload, JournalNote& out) {
  ByteReader reader(payload);
  out.run = reader.get<std::uint64_t>();
  out.start = reader.get<std::uint32_t>();
  std::uint64_t tasks = 0;
  while (reader.ok() && !reader.is_done()) {
    LeaseRun run;
    run.seq = reader.get<std::uint64_t>();
    run.lease_number = reader.get<std::uint64_t>();
    run.count = reader.get<std::uint32_t>();
    run.attempt = reader.get<std::uint16_t>();
    tasks += run.count;
    if (tasks > protocol::kTasksPerMessageMax) return false;
    out.runs.push_back(run);
  }
  return reader.ok();
}

Bytes encode_checkpoint(const StartRecord& start, const Durable& durable) {
  Bytes out;
  put<std::uint32_t>(out, start.origin);
  put<std::uint32_t>(out, start.start);
  put_text(out, start.boot_id);
  put<std::uint64_t>(out, planted("checkpoint-without-last") ? 0 : durable.last);
  put_text(out, durable.settled.encode());
  put<std::uint64_t>(out, durable.notes.size());
  for (const auto& [seq, note] : durable.notes) {
    put<std::uint64_t>(out, seq);
    put<std::uint64_t>(out, note.run);
    put<std::uint32_t>(out, note.lease.start);
    put<std::uint64_t>(out, note.lease.number);
    put<std::uint16_t>(out, note.attempt);
  }
  put<std::uint64_t>(out, durable.cancelled.size());
  for (const auto seq : durable.cancelled) put<std::uint64_t>(out, seq);
  put_text(out, durable.lost.encode());
  put<std::uint64_t>(out, durable.limits.size());
  for (const auto& [first, limit] : durable.limits) {
    put<std::uint64_t>(out, first);
    put<std::uint32_t>(out, limit.first);
    put<std::uint8_t>(out, limit.second);
  }
  put<std::uint64_t>(out, durable.requests.size());
  for (const auto& [run, requests] : durable.requests) {
    put<std::uint64_t>(out, run);
    put<std::uint64_t>(out, requests.confirmed);
    put<std::uint64_t>(out, requests.answered.size());
    for (const auto& [request, answered] : requests.answered) {
      put<std::uint64_t>(out, request);
      put_answered(out, answered);
    }
  }
  put<std::uint64_t>(out, durable.keys.size());
  for (const auto& [key, answered] : durable.keys) {
    put_text(out, key);
    put_answered(out, answered);
  }
  return out;
}

bool decode_checkpoint(std::string_view payload, StartRecord& start, Durable& out) {
  ByteReader reader(payload);
  start.origin = reader.get<std::uint32_t>();
  start.start = reader.get<std::uint32_t>();
  start.boot_id = get_text(reader);
  out.last = reader.get<std::uint64_t>();
  if (!out.settled.decode(get_text(reader))) return false;
  out.notes.clear();
  out.cancelled.clear();
  out.limits.clear();
  const auto drop = planted("checkpoint-without-answers");
  out.requests.clear();
  out.keys.clear();
  repeat(reader, [&] {
    auto& note = out.notes[reader.get<std::uint64_t>()];
    note.run = reader.get<std::uint64_t>();
    note.lease.start = reader.get<std::uint32_t>();
    note.lease.number = reader.get<std::uint64_t>();
    note.attempt = reader.get<std::uint16_t>();
  });
  repeat(reader, [&] { out.cancelled.insert(reader.get<std::uint64_t>()); });
  if (!out.lost.decode(get_text(reader))) return false;
  repeat(reader, [&] {
    auto& limit = out.limits[reader.get<std::uint64_t>()];
    limit.first = reader.get<std::uint32_t>();
    limit.second = reader.get<std::uint8_t>();
  });
  repeat(reader, [&] {
    auto& requests = out.requests[reader.get<std::uint64_t>()];
    requests.confirmed = reader.get<std::uint64_t>();
    repeat(reader, [&] {
      const auto request = reader.get<std::uint64_t>();
      requests.answered.put(request, get_answered(reader));
    });
  });
  repeat(reader, [&] {
    auto& answered = out.keys[get_text(reader)];
    answered = get_answered(reader);
  });
  if (drop) out.requests.clear();
  return reader.ok() && reader.is_done();
}

}  // namespace eole::ventilator
