#include "sink/io/index_file.hpp"

#include <algorithm>
#include <utility>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"

namespace eole::sink {

namespace {

constexpr std::int64_t kFormat = 3;

Database open(const std::string& path) {
  Database database(path);
  const auto format = database.number("PRAGMA user_version");
  if (format == kFormat) return database;
  if (format != 0 || database.number("SELECT count(*) FROM sqlite_schema") != 0)
    throw DatabaseFailure(text("format ", format, ", this is ", kFormat), true);
  database.run(
      "BEGIN;"
      "CREATE TABLE place (log INTEGER NOT NULL, next INTEGER NOT NULL, crc INTEGER NOT NULL)"
      " STRICT;"
      "INSERT INTO place VALUES (0, 0, 0);"
      "CREATE TABLE class (id INTEGER PRIMARY KEY, state INTEGER NOT NULL, kind TEXT NOT NULL,"
      " project TEXT NOT NULL, worker TEXT NOT NULL, results INTEGER NOT NULL,"
      " UNIQUE (project, kind, worker, state)) STRICT;"
      "CREATE INDEX no_results ON class (id) WHERE results = 0;"
      "CREATE TABLE block (first INTEGER PRIMARY KEY, end INTEGER NOT NULL, bytes INTEGER NOT NULL,"
      " earliest INTEGER NOT NULL, latest INTEGER NOT NULL, results BLOB NOT NULL,"
      " keys BLOB NOT NULL) STRICT;"
      "CREATE TABLE words (first INTEGER PRIMARY KEY, filter BLOB NOT NULL) STRICT;"
      "PRAGMA user_version = 3;"
      "COMMIT");
  return database;
}

IndexPlace place_in(Database& database) {
  auto row = database.prepare("SELECT log, next, crc FROM place");
  if (!row.step()) throw DatabaseFailure("it has no place", true);
  return {row.count(0), row.count(1), static_cast<std::uint32_t>(row.count(2))};
}

constexpr const char* kBlocks =
    "SELECT first, end, bytes, earliest, latest, results, keys FROM block ";

}  // namespace

IndexFile::IndexFile(const std::string& path)
    : database_(open(path)),
      place_(place_in(database_)),
      put_place_(database_.prepare("UPDATE place SET log = ?, next = ?, crc = ?")),
      find_class_(database_.prepare(
          "SELECT id FROM class WHERE project = ? AND kind = ? AND worker = ? AND state = ?")),
      add_class_(database_.prepare("INSERT INTO class (project, kind, worker, state, results)"
                                   " VALUES (?, ?, ?, ?, 0) RETURNING id")),
      count_class_(database_.prepare("UPDATE class SET results = results + ? WHERE id = ?")),
      put_block_(database_.prepare("INSERT OR REPLACE INTO block VALUES (?, ?, ?, ?, ?, ?, ?)")),
      blocks_below_(database_.prepare(text(kBlocks, "WHERE first < ? ORDER BY first DESC"))),
      oldest_block_(database_.prepare(text(kBlocks, "ORDER BY first LIMIT 1"))),
      put_words_(database_.prepare("INSERT OR REPLACE INTO words VALUES (?, ?)")),
      words_of_(database_.prepare("SELECT filter FROM words WHERE first = ?")) {}

void IndexFile::commit(const IndexPlace& place) {
  for (const auto& [id, results] : std::exchange(counted_, {}))
    count_class_.bind(results).bind(std::int64_t{id}).step();
  if (std::exchange(has_dropped_, false)) {
    database_.run("DELETE FROM class WHERE results = 0");
    known_.clear();
  }
  if (!planted("index-forgets-its-place"))
    put_place_.bind(place.log).bind(place.next).bind(std::uint64_t{place.crc}).step();
  database_.run("COMMIT");
  place_ = place;
}

ClassId IndexFile::count(const ResultClass& seen, std::uint32_t results) {
  key_.assign(1, static_cast<char>('0' + seen.state));
  for (const auto name : {seen.kind, seen.project, seen.worker}) {
    eole::put<std::uint32_t>(key_, static_cast<std::uint32_t>(name.size()));
    key_ += name;
  }
  auto found = known_.find(key_);
  if (found == known_.end()) {
    const auto bind = [&](Statement& statement) -> Statement& {
      return statement.bind(seen.project).bind(seen.kind).bind(seen.worker).bind(seen.state);
    };
    auto& row = bind(find_class_).step() ? find_class_ : (bind(add_class_).step(), add_class_);
    const auto id = static_cast<ClassId>(row.number(0));
    row.reset();
    if (known_.size() >= kKnownClassesMax) known_.clear();
    found = known_.emplace(key_, id).first;
  }
  counted_[found->second] += results;
  return found->second;
}

void IndexFile::put(const Block& block) {
  Bytes results;
  for (const auto& [id, count] : block.results) {
    eole::put<std::uint32_t>(results, id);
    eole::put<std::uint32_t>(results, count);
  }
  put_block_.bind(block.first).bind(block.end).bind(block.bytes);
  Bytes keys;
  for (const auto key : block.keys) eole::put<std::uint32_t>(keys, key);
  put_block_.bind(block.earliest_unix_ms).bind(block.latest_unix_ms);
  put_block_.bind_bytes(results).bind_bytes(keys).step();
  const auto words = block.words.stored();
  if (!words.empty()) put_words_.bind(block.first).bind_bytes(words).step();
}

WordFilter IndexFile::words(std::uint64_t first) {
  const Reading row(words_of_.bind(first));
  if (!row.statement.step()) return {};
  WordFilter words(row.statement.text(0));
  if (!words.is_whole()) throw DatabaseFailure(text("words of block ", first, " are damaged"), true);
  return words;
}

Block IndexFile::block_of(const Statement& row) {
  Block block{row.count(0), row.count(1), row.count(2), row.number(3), row.number(4), {}};
  ByteReader results(row.text(5));
  block.results.reserve(row.text(5).size() / (2 * sizeof(std::uint32_t)));
  while (!results.is_done()) {
    const auto id = results.get<std::uint32_t>();
    block.results.emplace_back(id, results.get<std::uint32_t>());
  }
  for (ByteReader keys(row.text(6)); !keys.is_done();)
    block.keys.push_back(keys.get<std::uint32_t>());
  if (!results.ok() || row.text(6).size() % sizeof(std::uint32_t) != 0 || block.first >= block.end)
    throw DatabaseFailure(text("block ", block.first, " is damaged"), true);
  return block;
}

std::optional<Block> IndexFile::oldest() {
  if (!oldest_block_.step()) return std::nullopt;
  auto block = block_of(oldest_block_);
  oldest_block_.reset();
  return block;
}

std::optional<Block> IndexFile::newest() {
  std::optional<Block> newest;
  visit(INT64_MAX, [&](Block&& block) {
    newest = std::move(block);
    return false;
  });
  if (newest) newest->words = words(newest->first);
  return newest;
}

void IndexFile::drop(const Block& block) {
  has_dropped_ = true;
  for (const auto& [id, count] : block.results) counted_[id] -= count;
  database_.prepare("DELETE FROM words WHERE first < ?").bind(block.end).step();
  database_.prepare("DELETE FROM block WHERE first < ?").bind(block.end).step();
}

std::vector<bool> IndexFile::classes(const std::vector<std::int64_t>& states, std::string_view kind,
                                     std::string_view project, std::string_view worker,
                                     const Within& within) {
  std::string sql = "SELECT id, project FROM class WHERE results > 0";
  sql += states.empty() ? " AND state <> ?" : " AND state IN (?";
  for (std::size_t i = 1; i < states.size(); ++i) sql += ", ?";
  if (!states.empty()) sql += ")";
  const std::pair<const char*, std::string_view> names[] = {
      {" AND kind = ?", kind}, {" AND project = ?", project}, {" AND worker = ?", worker}};
  for (const auto& [condition, name] : names)
    if (!name.empty()) sql += condition;
  auto rows = database_.prepare(sql);
  if (states.empty()) rows.bind(kRetrying);
  for (const auto state : states) rows.bind(state);
  for (const auto& [condition, name] : names)
    if (!name.empty()) rows.bind(name);
  std::vector<bool> found;
  while (rows.step()) {
    const auto id = static_cast<std::size_t>(rows.number(0));
    if (!within.has(rows.text(1))) continue;
    if (found.size() <= id) found.resize(id + 1);
    found[id] = true;
  }
  return found;
}

}  // namespace eole::sink
