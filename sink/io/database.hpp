#pragma once
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace eole::sink {

/// What SQLite refused. The transaction under way is over.
class DatabaseFailure : public std::runtime_error {
 public:
  DatabaseFailure(const std::string& what, bool is_damage)
      : std::runtime_error(what), is_damage_(is_damage) {}
  /// The file is no database, or damaged: only a new one helps.
  bool is_damage() const { return is_damage_; }

 private:
  bool is_damage_;
};

/// One statement, prepared once. Values are bound in the order of its question marks; texts must
/// live until it is reset.
class Statement {
 public:
  Statement(sqlite3* database, std::string_view sql);
  Statement& bind(std::int64_t number);
  Statement& bind(std::uint64_t number) { return bind(static_cast<std::int64_t>(number)); }
  Statement& bind(std::string_view text);
  Statement& bind_bytes(std::string_view bytes);
  /// Goes to the next row; false behind the last one, and then it is reset.
  bool step();
  /// Ready for other values. For whoever does not go to the end.
  void reset();
  std::int64_t number(int column) const;
  std::uint64_t count(int column) const { return static_cast<std::uint64_t>(number(column)); }
  /// Valid until the next step.
  std::string_view text(int column) const;

 private:
  struct Close {
    void operator()(sqlite3_stmt* statement) const;
  };
  std::unique_ptr<sqlite3_stmt, Close> statement_;
  int bound_ = 0;
};

/// One SQLite file of this process alone: what it holds can be had again, so that a power cut may
/// cost the last transactions. One thread.
class Database {
 public:
  /// Opens it, or makes it.
  explicit Database(const std::string& path);
  /// Of several statements without values.
  void run(const char* sql);
  Statement prepare(std::string_view sql) { return {database_.get(), sql}; }
  std::int64_t number(std::string_view sql);

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace eole::sink
