// Which storage for journal and log? Inserts records and deletes them again, durable, a sync per
// batch: the store of this project, LMDB, SQLite and RocksDB on the same work in one run.
//   eole-bench-storage [RECORDS] [BATCH] [DIRECTORY]
#include <lmdb.h>
#include <rocksdb/db.h>
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>

#include "common/storage/real_disk.hpp"
#include "common/storage/store.hpp"

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kValueBytes = 150;

struct Work {
  std::uint64_t records = 1'000'000;
  std::uint64_t batch = 256;
  std::string directory = "/tmp/eole-bench-storage";
};

std::string key_of(std::uint64_t number) {
  std::string key(16, '\0');
  for (int i = 15; i >= 8; --i, number >>= 8)
    key[static_cast<std::size_t>(i)] = static_cast<char>(number & 255);
  return key;
}

double megabytes(const std::string& directory) {
  double sum = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory))
    if (entry.is_regular_file()) sum += static_cast<double>(entry.file_size());
  return sum / 1e6;
}

void need(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "%s failed\n", what);
  std::exit(1);
}

/// Times `batches` calls that each handle one batch and end with a sync; records per second.
double rate(const Work& work, const std::function<void(std::uint64_t, std::uint64_t)>& batch) {
  const auto start = Clock::now();
  for (std::uint64_t first = 0; first < work.records; first += work.batch)
    batch(first, std::min(first + work.batch, work.records));
  return static_cast<double>(work.records) /
         std::chrono::duration<double>(Clock::now() - start).count();
}

void report(const char* engine, const Work& work, double inserts, double deletes, double full,
            double drained) {
  std::printf("| %-12s | %9llu | %5llu | %11.0f | %11.0f | %7.0f | %7.0f |\n", engine,
              static_cast<unsigned long long>(work.records),
              static_cast<unsigned long long>(work.batch), inserts, deletes, full, drained);
  std::fflush(stdout);
}

std::string fresh(const Work& work, const char* name) {
  const auto path = work.directory + "/" + name;
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(path);
  return path;
}

void bench_store(const Work& work) {
  const auto path = fresh(work, "store");
  const auto directory = eole::storage::open_directory(path);
  eole::storage::Store store(*directory, {.entropy = 1}, [](auto, auto, auto) {});
  const std::string value(kValueBytes, 'v');
  const auto inserts = rate(work, [&](auto first, auto last) {
    for (auto i = first; i < last; ++i) store.append(1, key_of(i) + value);
    store.commit();
  });
  const auto full = megabytes(path);
  const auto per_segment = work.records / store.current_segment() + 1;
  const auto deletes =
      rate(work, [&](auto first, auto last) {  // A settled range, not a record each.
        store.append(2, key_of(first) + key_of(last));
        store.commit();
        const bool is_last = last == work.records;
        store.drop_segments_below(is_last ? store.current_segment()
                                          : static_cast<std::uint32_t>(last / per_segment));
      });
  report("store", work, inserts, deletes, full, megabytes(path));
}

void bench_lmdb(const Work& work) {
  const auto path = fresh(work, "lmdb");
  MDB_env* env = nullptr;
  need(mdb_env_create(&env) == 0 && mdb_env_set_mapsize(env, 8ULL << 30) == 0 &&
           mdb_env_open(env, path.c_str(), 0, 0600) == 0,
       "lmdb open");
  std::string value(kValueBytes, 'v');
  MDB_dbi dbi = 0;
  const auto each = [&](bool inserts, std::uint64_t first, std::uint64_t last) {
    MDB_txn* txn = nullptr;
    need(mdb_txn_begin(env, nullptr, 0, &txn) == 0 && mdb_dbi_open(txn, nullptr, 0, &dbi) == 0,
         "lmdb begin");
    for (auto i = first; i < last; ++i) {
      auto key = key_of(i);
      MDB_val k{key.size(), key.data()};
      MDB_val v{value.size(), value.data()};
      need((inserts ? mdb_put(txn, dbi, &k, &v, MDB_APPEND) : mdb_del(txn, dbi, &k, nullptr)) == 0,
           "lmdb write");
    }
    need(mdb_txn_commit(txn) == 0, "lmdb commit");
  };
  const auto inserts = rate(work, [&](auto first, auto last) { each(true, first, last); });
  const auto full = megabytes(path);
  const auto deletes = rate(work, [&](auto first, auto last) { each(false, first, last); });
  report("LMDB", work, inserts, deletes, full, megabytes(path));
  mdb_env_close(env);
}

void bench_sqlite(const Work& work) {
  const auto path = fresh(work, "sqlite");
  sqlite3* db = nullptr;
  const auto run = [&](const char* sql) {
    need(sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK, sql);
  };
  need(sqlite3_open((path + "/db").c_str(), &db) == SQLITE_OK, "sqlite open");
  run("pragma journal_mode=wal; pragma synchronous=full;"
      "create table tasks(key blob primary key, value blob) without rowid");
  sqlite3_stmt* put = nullptr;
  sqlite3_stmt* del = nullptr;
  need(sqlite3_prepare_v2(db, "insert into tasks values(?,?)", -1, &put, nullptr) == SQLITE_OK &&
           sqlite3_prepare_v2(db, "delete from tasks where key=?", -1, &del, nullptr) == SQLITE_OK,
       "sqlite prepare");
  const std::string value(kValueBytes, 'v');
  const auto each = [&](sqlite3_stmt* statement, std::uint64_t first, std::uint64_t last) {
    run("begin");
    for (auto i = first; i < last; ++i) {
      const auto key = key_of(i);
      sqlite3_bind_blob(statement, 1, key.data(), 16, SQLITE_TRANSIENT);
      if (statement == put)
        sqlite3_bind_blob(statement, 2, value.data(), kValueBytes, SQLITE_STATIC);
      need(sqlite3_step(statement) == SQLITE_DONE, "sqlite step");
      sqlite3_reset(statement);
    }
    run("commit");
  };
  const auto inserts = rate(work, [&](auto first, auto last) { each(put, first, last); });
  const auto full = megabytes(path);
  const auto deletes = rate(work, [&](auto first, auto last) { each(del, first, last); });
  report("SQLite WAL", work, inserts, deletes, full, megabytes(path));
  sqlite3_finalize(put);
  sqlite3_finalize(del);
  sqlite3_close(db);
}

void bench_rocksdb(const Work& work) {
  const auto path = fresh(work, "rocksdb");
  rocksdb::DB* db = nullptr;
  rocksdb::Options options;
  options.create_if_missing = true;
  need(rocksdb::DB::Open(options, path, &db).ok(), "rocksdb open");
  rocksdb::WriteOptions durable;
  durable.sync = true;
  const std::string value(kValueBytes, 'v');
  const auto each = [&](bool inserts, std::uint64_t first, std::uint64_t last) {
    rocksdb::WriteBatch batch;
    for (auto i = first; i < last; ++i)
      inserts ? batch.Put(key_of(i), value) : batch.Delete(key_of(i));
    need(db->Write(durable, &batch).ok(), "rocksdb write");
  };
  const auto inserts = rate(work, [&](auto first, auto last) { each(true, first, last); });
  const auto full = megabytes(path);
  const auto deletes = rate(work, [&](auto first, auto last) { each(false, first, last); });
  report("RocksDB", work, inserts, deletes, full, megabytes(path));
  delete db;
}

}  // namespace

int main(int argc, char** argv) {
  Work work;
  if (argc > 1) work.records = std::strtoull(argv[1], nullptr, 10);
  if (argc > 2) work.batch = std::strtoull(argv[2], nullptr, 10);
  if (argc > 3) work.directory = argv[3];
  std::printf(
      "| engine       |   records | batch |   inserts/s |   deletes/s | MB full | drained |\n"
      "|--------------|-----------|-------|-------------|-------------|---------|---------|\n");
  for (int round = 0; round < 3; ++round) {
    bench_store(work);
    bench_lmdb(work);
    bench_rocksdb(work);
    bench_sqlite(work);
  }
  std::filesystem::remove_all(work.directory);
  return 0;
}
