#include "sink/io/database.hpp"

#include <sqlite3.h>

#include "common/base/own_files.hpp"

// All of SQLite.
namespace eole::sink {

namespace {

DatabaseFailure failure(sqlite3* database, int code) {
  const auto primary = code & 0xff;  // A constraint: it has what it says that it has not.
  return {database == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(database),
          primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || primary == SQLITE_CONSTRAINT};
}

void check(sqlite3* database, int code) {
  if (code != SQLITE_OK) throw failure(database, code);
}

}  // namespace

void Statement::Close::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
void Database::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Statement::Statement(sqlite3* database, std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const auto code = sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()),
                                       SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code == SQLITE_ERROR) throw DatabaseFailure(sqlite3_errmsg(database), true);  // Its tables.
  check(database, code);
  statement_.reset(statement);
}

Statement& Statement::bind(std::int64_t number) {
  check(sqlite3_db_handle(statement_.get()),
        sqlite3_bind_int64(statement_.get(), ++bound_, number));
  return *this;
}

Statement& Statement::bind(std::string_view text) {
  check(sqlite3_db_handle(statement_.get()),
        sqlite3_bind_text64(statement_.get(), ++bound_, text.data() == nullptr ? "" : text.data(),
                            text.size(), SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind_bytes(std::string_view bytes) {
  check(sqlite3_db_handle(statement_.get()),
        sqlite3_bind_blob64(statement_.get(), ++bound_, bytes.data() == nullptr ? "" : bytes.data(),
                            bytes.size(), SQLITE_STATIC));
  return *this;
}

bool Statement::step() {
  const auto code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  const auto why = failure(sqlite3_db_handle(statement_.get()), code);
  reset();
  if (code != SQLITE_DONE) throw why;
  return false;
}

void Statement::reset() {
  sqlite3_reset(statement_.get());  // Says again what the step said.
  bound_ = 0;
}

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::text(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  const auto size = sqlite3_column_bytes(statement_.get(), column);
  return data == nullptr ? std::string_view() : std::string_view(data, static_cast<size_t>(size));
}

Database::Database(const std::string& path) {
  const OwnFiles own;
  sqlite3* database = nullptr;
  const auto code = sqlite3_open_v2(
      path.c_str(), &database,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
      nullptr);
  database_.reset(database);
  check(database, code);
  // Nobody else reads it, so that what readers would share is kept in memory.
  run("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
      "PRAGMA cache_size = -8192; PRAGMA journal_size_limit = 16777216;"
      "PRAGMA wal_autocheckpoint = 2048; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0;");
}

void Database::run(const char* sql) {
  check(database_.get(), sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr));
}

std::int64_t Database::number(std::string_view sql) {
  auto statement = prepare(sql);
  return statement.step() ? statement.number(0) : 0;
}

}  // namespace eole::sink
