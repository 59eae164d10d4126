#include "ventilator/io/journal_format.hpp"

namespace eole::ventilator {

namespace {

void put_text(Bytes& out, std::string_view text) {
  put<std::uint32_t>(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}
std::string get_text(ByteReader& reader) {
  return std::string(reader.take(reader.get<std::uint32_t>()));
}

}  // namespace

bool is_identity(std::uint32_t type) {
  const auto record = static_cast<JournalRecord>(type);
  return record == JournalRecord::kStart || record == JournalRecord::kSnapshot ||
         record == JournalRecord::kSnapshotEnd;
}

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
  char numbers[8 + 4 + 4 * 8];
  write_at<std::uint64_t>(numbers, 0, record.first);
  write_at<std::uint32_t>(numbers, 8, record.count);
  write_at<std::int64_t>(numbers, 12, record.submitted_unix_ms);
  write_at<std::uint64_t>(numbers, 20, record.run);
  write_at<std::uint64_t>(numbers, 28, record.request);
  write_at<std::uint64_t>(numbers, 36, record.confirmed);
  Bytes out;
  out.reserve(sizeof numbers + 2 * 4 + record.key.size() + record.hash.size());
  out.append(numbers, sizeof numbers);
  put_text(out, record.key);
  put_text(out, record.hash);
  return out;
}

bool decode(std::string_view payload, TasksRecord& out) {
  ByteReader reader(payload);
  out.first = reader.get<std::uint64_t>();
  out.count = reader.get<std::uint32_t>();
  out.submitted_unix_ms = reader.get<std::int64_t>();
  out.run = reader.get<std::uint64_t>();
  out.request = reader.get<std::uint64_t>();
  out.confirmed = reader.get<std::uint64_t>();
  out.key = get_text(reader);
  out.hash = get_text(reader);
  out.groups = reader.rest();
  return reader.ok();
}

Bytes encode(const MovedRecord& record) {
  Bytes out;
  put<std::uint64_t>(out, record.first);
  put<std::uint32_t>(out, static_cast<std::uint32_t>(record.submitted_unix_ms.size()));
  for (const auto when : record.submitted_unix_ms) put<std::int64_t>(out, when);
  out += record.groups;
  return out;
}

bool decode(std::string_view payload, MovedRecord& out) {
  ByteReader reader(payload);
  out.first = reader.get<std::uint64_t>();
  const auto count = reader.get<std::uint32_t>();
  if (!reader.ok() || count == 0 || reader.rest().size() / 8 < count) return false;
  for (std::uint32_t i = 0; i < count; ++i)
    out.submitted_unix_ms.push_back(reader.get<std::int64_t>());
  out.groups = reader.rest();
  return true;
}

std::int64_t submitted_unix_ms(std::string_view moved, std::uint64_t index) {
  return read_at<std::int64_t>(moved, 8 + 4 + index * 8);
}

Bytes encode(const JournalNote& note) {
  Bytes out;
  for (const auto& run : note.runs)
    put_note(out, run.seq, {note.run, {note.start, run.lease_number}, run.attempt, run.count});
  return out;
}

}  // namespace eole::ventilator
