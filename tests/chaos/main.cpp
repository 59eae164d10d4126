// The clients of ./dev chaos, and the offline check of what they wrote down.
//   eole-chaos load RATE SECONDS FILE     submits RATE tasks a second; a line for each answer
//   eole-chaos read COUNT FILE            reads the log from its start; a line for each result
//   eole-chaos check DATA ACCEPTED [RESULTS]
//                                         journal and log of a stopped cluster against both
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <thread>

#include "clients/cpp/blocking/log_reader.hpp"
#include "clients/cpp/blocking/submitter.hpp"
#include "common/process/system.hpp"
#include "common/protocol/value.hpp"
#include "common/storage/real_disk.hpp"
#include "common/storage/salvage.hpp"
#include "sink/io/result_log.hpp"
#include "ventilator/io/journal_format.hpp"

namespace {

using namespace eole;
using protocol::Value;
constexpr std::uint32_t kBatch = 50;

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "eole-chaos: %s\n", why.c_str());
  std::exit(3);
}

// Open loop: what falls due while nothing answers is submitted late, not left out.
int load(const net::ClusterFile& cluster, double rate, double seconds, const char* path) {
  std::FILE* out = std::fopen(path, "a");
  if (out == nullptr) fail("cannot write the file");
  net::Context context(cluster);
  const auto tag = std::to_string(process::random_u64());
  const auto start = process::now();
  std::uint64_t sent = 0;
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;
  auto last_answer = start;
  Duration longest_gap = 0s;
  auto longest_gap_end = start;
  const auto total = static_cast<std::uint64_t>(rate * seconds);
  while (sent < total) {
    client::Submitter client(context, cluster, {.key = {}, .batch = kBatch, .patience = 120s},
                             [&](Origin origin, Seq first, std::uint32_t count) {
                               std::fprintf(out, "%u %llu %u\n", origin,
                                            static_cast<unsigned long long>(first), count);
                               std::fflush(out);
                               accepted += count;
                               const auto now = process::now();
                               if (now - last_answer > longest_gap) {
                                 longest_gap = now - last_answer;
                                 longest_gap_end = now;
                               }
                               last_answer = now;
                             });
    bool is_good = true;
    while (is_good && sent < total) {
      const auto due = static_cast<std::uint64_t>(
          rate * std::chrono::duration<double>(process::now() - start).count());
      if (sent + kBatch > std::min(due, total) && sent + kBatch <= total) {
        std::this_thread::sleep_for(2ms);
        continue;
      }
      for (std::uint32_t i = 0; i < kBatch && sent < total && is_good; ++i, ++sent) {
        const auto args =
            Value(Value::Map{{"text", tag + "." + std::to_string(sent)}}).to_msgpack();
        is_good = static_cast<bool>(client.add({"echo", "", 0, 0}, args));
      }
    }
    const auto finished = client.finish();
    if (!finished) ++refused, std::fprintf(stderr, "%s\n", finished.error().message.c_str());
    if (!finished) std::this_thread::sleep_for(100ms);
  }
  const auto seconds_of = [](Duration span) { return std::chrono::duration<double>(span).count(); };
  std::printf(
      "{\"sent\":%llu,\"accepted\":%llu,\"errors\":%llu,\"longest_gap_s\":%.3f,"
      "\"longest_gap_end_s\":%.3f}\n",
      static_cast<unsigned long long>(sent), static_cast<unsigned long long>(accepted),
      static_cast<unsigned long long>(refused), seconds_of(longest_gap),
      seconds_of(longest_gap_end.time_since_epoch()));
  return 0;
}

// A subscriber that writes down what it heard; it comes back by itself after errors.
int read(const net::ClusterFile& cluster, std::uint64_t count, const char* path) {
  std::FILE* out = std::fopen(path, "w");
  if (out == nullptr) fail("cannot write the file");
  net::Context context(cluster);
  std::uint64_t offset = 0;
  std::uint64_t seen = 0;
  auto last_news = process::now();
  while (seen < count) {
    auto reader = client::LogReader::open(context, cluster, offset);
    if (process::now() - last_news > 60s) fail("nothing new for 60 s at " + std::to_string(offset));
    if (!reader) {
      std::this_thread::sleep_for(100ms);
      continue;
    }
    while (seen < count && process::now() - last_news < 60s) {
      const auto encoded = (*reader)->next(1s);
      if (!encoded) break;
      if (!*encoded) continue;
      last_news = process::now();
      const auto batch = protocol::read_batch(**encoded);
      protocol::ResultReader results(batch->records);
      for (std::uint32_t i = 0; i < batch->count; ++i) {
        const auto result = results.next();
        const auto at = batch->first_offset + i;
        if (at < offset) continue;
        if (at > offset) fail("a gap at offset " + std::to_string(offset));
        ++offset;
        if (!result->is_final) continue;
        ++seen;
        std::fprintf(out, "%llu %u %llu\n", static_cast<unsigned long long>(at), result->id.origin,
                     static_cast<unsigned long long>(result->id.seq));
      }
    }
  }
  std::fclose(out);
  std::printf("{\"results\":%llu}\n", static_cast<unsigned long long>(seen));
  return 0;
}

struct Checked {
  std::map<TaskId, std::uint64_t> settled;  // In the log: the offset.
  std::map<Origin, SeqRanges> journalled;
  std::uint64_t twice = 0;
  std::uint64_t damaged = 0;
  std::uint64_t redelivered = 0;
};

void read_log(const std::string& path, Checked& out) {
  const auto directory = storage::open_directory(path);
  const auto losses = storage::read_damaged(
      *directory, [&](storage::Position, std::uint32_t type, std::string_view payload) {
        if (type != static_cast<std::uint32_t>(sink::LogRecord::kBatch)) return;
        const auto batch = protocol::read_batch(payload);
        protocol::ResultReader results(batch->records);
        for (std::uint32_t i = 0; i < batch->count; ++i) {
          const auto result = results.next();
          if (!result->is_final) continue;
          if (result->attempt > 1) ++out.redelivered;
          if (!out.settled.emplace(result->id, batch->first_offset + i).second) ++out.twice;
        }
      });
  out.damaged += losses.size();
}

void read_journal(const std::string& path, Checked& out) {
  const auto directory = storage::open_directory(path);
  Origin origin = 0;
  SeqRanges tasks;
  const auto losses = storage::read_damaged(
      *directory, [&](storage::Position, std::uint32_t type, std::string_view payload) {
        ventilator::StartRecord start;
        Seq last = 0;
        ventilator::TasksRecord record;
        if (ventilator::is_identity(type) && ventilator::decode(payload, start, last))
          origin = start.origin;
        if (ventilator::has_new_tasks(type) && ventilator::decode(payload, record))
          tasks.add(record.first, record.first + record.count - 1);
      });
  out.journalled[origin] = tasks;
  out.damaged += losses.size();
}

int check(const std::string& data, const char* accepted_path, const char* results_path) {
  Checked found;
  read_log(data + "/sink/log", found);
  read_journal(data + "/ventilator", found);
  std::uint64_t accepted = 0;
  std::uint64_t lost = 0;
  std::uint64_t pending = 0;
  if (std::FILE* in = std::fopen(accepted_path, "r")) {
    unsigned origin = 0;
    unsigned long long first = 0;
    unsigned count = 0;
    while (std::fscanf(in, "%u %llu %u", &origin, &first, &count) == 3)
      for (Seq seq = first; seq < first + count; ++seq) {
        ++accepted;
        if (found.settled.contains({origin, seq})) continue;
        const auto journal = found.journalled.find(origin);
        const bool is_kept = journal != found.journalled.end() && journal->second.contains(seq);
        ++(is_kept ? pending : lost);
      }
    std::fclose(in);
  }
  std::uint64_t told_twice = 0;
  std::uint64_t told_wrong = 0;
  std::uint64_t told = 0;
  if (results_path != nullptr) {
    if (std::FILE* in = std::fopen(results_path, "r")) {
      std::set<TaskId> seen;
      unsigned long long offset = 0;
      unsigned origin = 0;
      unsigned long long seq = 0;
      while (std::fscanf(in, "%llu %u %llu", &offset, &origin, &seq) == 3) {
        ++told;
        if (!seen.insert({origin, seq}).second) ++told_twice;
        const auto known = found.settled.find({origin, seq});
        if (known == found.settled.end() || known->second != offset) ++told_wrong;
      }
      std::fclose(in);
    }
  }
  const auto print = [](const char* name, std::uint64_t value, const char* end) {
    std::printf("\"%s\":%llu%s", name, static_cast<unsigned long long>(value), end);
  };
  std::printf("{");
  print("accepted", accepted, ",");
  print("settled", found.settled.size(), ",");
  print("pending", pending, ",");
  print("lost", lost, ",");
  print("settled_twice", found.twice, ",");
  print("told", told, ",");
  print("told_twice", told_twice, ",");
  print("told_wrong", told_wrong, ",");
  print("redelivered", found.redelivered, ",");
  print("damaged", found.damaged, "}\n");
  return lost + found.twice + told_twice + told_wrong + found.damaged == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "check" && argc >= 4) return check(argv[2], argv[3], argc > 4 ? argv[4] : nullptr);
  auto cluster = net::read_cluster_file(net::cluster_file_path(""));
  if (!cluster) fail(cluster.error().message);
  if (what == "load" && argc == 5)
    return load(*cluster, std::atof(argv[2]), std::atof(argv[3]), argv[4]);
  if (what == "read" && argc == 4)
    return read(*cluster, std::strtoull(argv[2], nullptr, 10), argv[3]);
  fail("load RATE SECONDS FILE | read COUNT FILE | check DATA ACCEPTED [RESULTS]");
}
