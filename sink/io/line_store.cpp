#include "sink/io/line_store.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "common/base/counted.hpp"
#include "common/base/durations.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/base/utf8.hpp"
#include "common/process/system.hpp"
#include "common/protocol/log_lines.hpp"
#include "common/storage/real_disk.hpp"

namespace eole::sink {

using protocol::Value;

namespace {

constexpr std::uint32_t kLinesRecord = 1;
constexpr std::size_t kRecordHeaderBytes = 22;
constexpr std::size_t kWhoBytesMax = 64;                 // Of a role or a name.
constexpr std::uint64_t kLinesFreeBytesMin = 256 << 20;  // Of disk: results need these more.
constexpr std::uint64_t kSegments = 64;                  // Of a size, as many as fit.
constexpr std::uint64_t kSegmentBytesLeast = 64 << 10;
constexpr std::int64_t kPageLinesMax = 1000;
constexpr std::int64_t kPageLines = 100;
constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::uint64_t kForEverDays = 36'500;           // For ever.
constexpr std::int64_t kTimeFirst = 0;                   // Clocks of peers say anything.
constexpr std::int64_t kTimeLast = 253'402'300'799'999;  // The end of the year 9999.

// What came before it is too old.
std::int64_t oldest(const LineRetention& retention, std::int64_t unix_ms) {
  return unix_ms - static_cast<std::int64_t>(std::min(retention.days, kForEverDays)) * kDayMs;
}

/// u64 offset of the first line, i64 Unix ms when it came, u32 count, u8 role size, u8 name size;
/// role, name, lines as the message has them.
struct Record {
  std::uint64_t first = 0;
  std::int64_t unix_ms = 0;
  std::uint32_t count = 0;
  std::string_view role;
  std::string_view name;
  std::string_view lines;
};

Bytes encode(const Record& record) {
  Bytes out;
  put<std::uint64_t>(out, record.first);
  put<std::int64_t>(out, record.unix_ms);
  put<std::uint32_t>(out, record.count);
  put<std::uint8_t>(out, static_cast<std::uint8_t>(record.role.size()));
  put<std::uint8_t>(out, static_cast<std::uint8_t>(record.name.size()));
  for (const auto part : {record.role, record.name, record.lines}) out += part;
  return out;
}

std::optional<Record> decode(std::string_view payload) {
  ByteReader reader(payload);
  Record record;
  record.first = reader.get<std::uint64_t>();
  record.unix_ms = reader.get<std::int64_t>();
  record.count = reader.get<std::uint32_t>();
  const auto role = reader.get<std::uint8_t>();
  const auto name = reader.get<std::uint8_t>();
  record.role = reader.take(role);
  record.name = reader.take(name);
  record.lines = reader.rest();
  if (!reader.ok()) return std::nullopt;
  return record;
}

}  // namespace

/// What somebody looks for.
struct LineStore::Wanted {
  LogLevel level = LogLevel::kInfo;
  std::optional<TaskId> task;
  std::string role;
  std::int64_t since = 0;
  std::int64_t limit = kPageLines;

  static Expected<Wanted> read(const Value& options);
  bool has(const LogLine& line) const {
    return line.level >= level && line.unix_ms >= since && (!task || line.task == *task);
  }
};

Expected<LineStore::Wanted> LineStore::Wanted::read(const Value& options) {
  Wanted wanted;
  if (const auto name = options["level"].text_or(""); !name.empty()) {
    const auto level = parse_log_level(name);
    if (!level) return Error{text("logs: level ", name, ": is info, warn or error")};
    wanted.level = *level;
  }
  if (const auto id = options["task"].text_or(""); !id.empty()) {
    wanted.task = parse_task_id(id);
    if (!wanted.task) return Error{text("logs: task ", id, ": is no task's id")};
  }
  wanted.role = options["role"].text_or("");
  wanted.since = options["since"].int_or(0);
  wanted.limit = options["limit"].int_or(kPageLines);
  if (wanted.limit < 1 || wanted.limit > kPageLinesMax)
    return Error{text("logs: limit ", wanted.limit, ", limits 1 and ", kPageLinesMax)};
  return wanted;
}

/// The lines that were found, one way or the other.
class LineStore::Page {
 public:
  Page(const Wanted& wanted, std::uint64_t above, std::uint64_t below, bool is_forward)
      : wanted_(wanted), above_(above), below_(below), is_forward_(is_forward) {}

  bool is_full() const { return static_cast<std::int64_t>(lines_.size()) >= wanted_.limit; }
  /// The last offset that was looked at; nothing: none was.
  std::optional<std::uint64_t> last() const { return last_; }
  Value::Array take() { return std::move(lines_); }

  void look(const Record& record) {
    if (!wanted_.role.empty() && record.role != wanted_.role) {
      last_ = is_forward_ ? record.first + record.count - 1 : record.first;
      return;
    }
    std::vector<LogLine> lines;
    for (ByteReader reader(record.lines); auto line = protocol::read_log_line(reader);)
      lines.push_back(std::move(*line));
    for (std::size_t i = 0; i < lines.size() && !is_full(); ++i) {
      const auto at = is_forward_ ? i : lines.size() - 1 - i;
      const auto offset = record.first + at;
      if (offset <= above_ || offset >= below_) continue;
      last_ = offset;
      if (wanted_.has(lines[at])) lines_.push_back(view_of(record, lines[at], offset));
    }
  }

 private:
  static Value view_of(const Record& record, const LogLine& line, std::uint64_t offset) {
    Value view = Value::Map{{"offset", offset},
                            {"time", show_time(std::clamp(line.unix_ms, kTimeFirst, kTimeLast))},
                            {"level", std::string(to_text(line.level))},
                            {"role", std::string(record.role)},
                            {"name", std::string(record.name)}};
    if (line.task.seq != 0) view.set("task", to_text(line.task));
    view.set("text", is_utf8(line.text) ? line.text : shown(line.text));
    return view;
  }

  const Wanted& wanted_;
  std::uint64_t above_;
  std::uint64_t below_;
  bool is_forward_;
  std::optional<std::uint64_t> last_;
  Value::Array lines_;
};

LineStore::LineStore(std::string directory, LineRetention retention, std::uint64_t entropy)
    : directory_(std::move(directory)), retention_(retention), entropy_(entropy) {
  open_all();
}

LineStore::~LineStore() = default;

void LineStore::open_all() {
  std::error_code none;
  for (std::filesystem::directory_iterator found(directory_, none), end;
       found != end && !none && chains_.size() < kLinePeersMax + 1; found.increment(none))
    open(found->path().filename().string());
}

// What cannot be read is begun anew: nobody was promised a line.
LineStore::Chains::iterator LineStore::open(const std::string& peer) {
  const auto known = chains_.find(peer);
  if (known != chains_.end()) return known;
  const auto chain = chains_.emplace(peer, Chain{}).first;
  const auto path = text(directory_, "/", peer);
  const auto open = [&] {
    std::filesystem::create_directories(directory_);
    chain->second.directory = storage::open_directory(path);
    storage::StoreOptions options{.kind = storage::StoreKind::kLines, .entropy = ++entropy_};
    options.segment_bytes = std::max(kSegmentBytesLeast, retention_.bytes / kSegments);
    options.syncs = false;
    chain->second.store = std::make_unique<storage::Store>(
        *chain->second.directory, options,
        [&](storage::Position at, std::uint32_t type, std::string_view payload) {
          if (type == kLinesRecord) load(chain, at, payload);
        });
  };
  try {
    try {
      open();
    } catch (const storage::Damage&) {
      forget_below(chain, UINT32_MAX);
      chain->second.directory.reset();
      std::filesystem::remove_all(path);
      open();
    }
  } catch (const std::exception&) {  // The disk may have room later.
    close(chain);
    return chains_.end();
  }
  return chain;
}

void LineStore::load(Chains::iterator chain, storage::Position at, std::string_view payload) {
  const auto record = decode(payload);
  if (!record || record->count == 0) return;
  entries_.insert_or_assign(
      record->first,
      Entry{chain, at, static_cast<std::uint32_t>(payload.size()), record->count, record->unix_ms});
  ++chain->second.records;
  auto& newest = chain->second.newest[at.segment];
  newest = std::max(newest, record->unix_ms);
  head_ = std::max(head_, record->first + record->count);
}

void LineStore::close(Chains::iterator chain) {
  forget_below(chain, UINT32_MAX);
  chains_.erase(chain);
}

// Whoever it was has said nothing for as long as lines are kept.
void LineStore::remove_empty() {
  for (auto chain = chains_.begin(); chain != chains_.end();) {
    const auto peer = chain->first;
    const bool is_empty = chain->second.records == 0;
    chain = is_empty ? chains_.erase(chain) : std::next(chain);
    std::error_code ignored;
    if (is_empty) std::filesystem::remove_all(text(directory_, "/", peer), ignored);
  }
}

void LineStore::forget_below(Chains::iterator chain, std::uint32_t segment) {
  std::erase_if(entries_, [&](const auto& entry) {
    const bool is_over = entry.second.chain == chain && entry.second.at.segment < segment;
    if (is_over) --chain->second.records;
    return is_over;
  });
  auto& newest = chain->second.newest;
  newest.erase(newest.begin(), newest.lower_bound(segment));
}

void LineStore::add(const LineBatch& batch, std::int64_t unix_ms) {
  const bool is_known = chains_.contains(batch.peer);
  if (!is_known && chains_.size() >= kLinePeersMax) remove_empty();
  const bool has_place = is_known || chains_.size() < kLinePeersMax;
  const auto chain = open(has_place ? batch.peer : "others");
  const auto leave_out = [&] { left_out_ += batch.count + batch.said.dropped; };
  if (chain == chains_.end()) return leave_out();
  if (chain->second.directory->free_bytes() < kLinesFreeBytesMin) return leave_out();
  Bytes lines;
  auto count = batch.count;
  if (const auto missing = batch.said.dropped + std::exchange(left_out_, 0); missing > 0) {
    protocol::put_log_line(
        lines, {unix_ms,
                LogLevel::kWarning,
                {},
                text(counted(missing, "line"), " that came before ", missing == 1 ? "was" : "were",
                     " left out: there were too many")});
    ++count;
  }
  lines += batch.said.payload;
  // Begun anew, or after a power cut took the last ones, it goes on behind whatever anybody has read.
  head_ = std::max(head_, static_cast<std::uint64_t>(std::max<std::int64_t>(unix_ms, 1)) * 1000);
  const auto role = cut_text(batch.said.role, kWhoBytesMax);
  const auto name = cut_text(batch.said.name, kWhoBytesMax);
  const auto payload = encode({head_, unix_ms, count, role, name, lines});
  try {
    auto& store = *chain->second.store;
    const auto at = store.append(kLinesRecord, payload);
    store.flush();
    load(chain, at, payload);
  } catch (const storage::StorageFailure&) {
    close(chain);
    leave_out();
  }
  drop_old(unix_ms);
  drop_superfluous();
}

std::uint64_t LineStore::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& [peer, chain] : chains_) sum += chain.store->disk_bytes();
  return sum;
}

// Of who has the most.
void LineStore::drop_superfluous() {
  while (true) {
    const bool is_too_large = bytes() > retention_.bytes;
    if (!is_too_large && entries_.size() <= kLineRecordsMax) return;
    const auto weight = [&](const Chain& chain) {
      return is_too_large ? chain.store->disk_bytes() : chain.records;
    };
    const auto most = std::max_element(chains_.begin(), chains_.end(), [&](auto& one, auto& other) {
      return weight(one.second) < weight(other.second);
    });
    auto& store = *most->second.store;
    const bool is_single = store.first_segment() == store.current_segment();
    if (is_single && is_too_large) return;
    drop_below(most, store.first_segment() + 1);
  }
}

// What cannot be dropped is left to the next start.
void LineStore::drop_below(Chains::iterator chain, std::uint32_t segment) {
  auto& store = *chain->second.store;
  try {
    if (store.current_segment() < segment) store.begin_segment(kRecordHeaderBytes);
    forget_below(chain, segment);
    store.drop_segments_below(segment);
  } catch (const storage::StorageFailure&) {
    close(chain);
  }
}

// The oldest segments of each, once all of it is too old.
void LineStore::drop_old(std::int64_t unix_ms) {
  const auto before = oldest(retention_, unix_ms);
  for (auto chain = chains_.begin(); chain != chains_.end();) {
    const auto& newest = chain->second.newest;
    std::uint32_t segment = 0;
    for (const auto& [number, unix_ms_of] : newest) {
      if (unix_ms_of >= before) break;
      segment = number + 1;
    }
    const auto old = chain++;
    if (segment > 0) drop_below(old, segment);
  }
}

void LineStore::look(const Entries::value_type& entry, Page& page) const {
  const auto& [first, its] = entry;
  try {
    const auto payload = its.chain->second.store->read(its.at, its.bytes);
    if (const auto record = decode(payload)) page.look(*record);
  } catch (const storage::StorageFailure&) {  // Others are whole.
  }
}

Expected<Value> LineStore::answer(const Value& options, std::int64_t unix_ms, Duration time) {
  auto wanted = Wanted::read(options);
  if (!wanted) return wanted.error();
  wanted->since = std::max(wanted->since, oldest(retention_, unix_ms));
  const auto until = process::now() + time;
  const auto is_over = [&](const Page& page) { return page.is_full() || process::now() >= until; };
  Value next;
  Value::Array lines;
  if (!options["after"].is_null()) {
    const auto after =
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, options["after"].int_or(0)));
    Page page(*wanted, after, UINT64_MAX, true);
    auto at = entries_.upper_bound(after);
    if (at != entries_.begin()) --at;
    while (at != entries_.end() && !is_over(page)) look(*at++, page);
    const bool is_whole = at == entries_.end() && !page.is_full();
    next = is_whole ? std::max(after, head_ == 0 ? 0 : head_ - 1) : page.last().value_or(after);
    lines = page.take();
  } else {
    const auto before = static_cast<std::uint64_t>(options["before"].int_or(INT64_MAX));
    Page page(*wanted, 0, before, false);
    auto at = entries_.lower_bound(before);
    bool is_whole = false;
    while (!is_over(page)) {
      is_whole = at == entries_.begin() || std::prev(at)->second.unix_ms < wanted->since;
      if (is_whole) break;
      look(*--at, page);
    }
    if (!is_whole && page.last()) next = *page.last();
    lines = page.take();
  }
  return Value(Value::Map{{"lines", std::move(lines)},
                          {"next", std::move(next)},
                          {"head", head_ == 0 ? 0 : head_ - 1}});
}

}  // namespace eole::sink
