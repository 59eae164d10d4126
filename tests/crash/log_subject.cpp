#include <array>
#include <map>
#include <stdexcept>

#include "common/base/text.hpp"
#include "sink/io/history.hpp"
#include "sink/io/result_log.hpp"
#include "sink/io/salvage.hpp"
#include "tests/crash/subject.hpp"

namespace eole::crash {

namespace {

using simulation::SimDisk;
using sink::ResultLog;
constexpr Origin kOrigin = 5;

class LogSubject final : public Subject {
 public:
  explicit LogSubject(std::uint64_t seed) : seed_(seed) {}

  void live(SimDisk& disk) override {
    const auto directory = disk.open();
    ResultLog log(*directory, options(), 0);
    sink::Actions actions;
    log.core().on_event(sink::IntroduceReceived{"v", {1, kOrigin, 1, 9, 1000, 0, 1, {}}, {}},
                        actions);
    log.write(actions, 0);
    std::uint64_t number = 1;
    for (std::uint64_t turn = 1; turn <= kTurns; ++turn) {
      protocol::Results results;
      results.run = 7;
      results.origin = kOrigin;
      results.first = number;
      results.count = static_cast<std::uint32_t>(1 + (seed_ + turn) % 4);
      for (std::uint32_t i = 0; i < results.count; ++i, ++number) {
        protocol::ResultRecord result;
        result.id = {kOrigin, number};
        result.is_final = true;
        result.state = state_of(number);
        result.project = project_of(number);
        const auto body = body_of(number);
        result.body = body;
        protocol::put_result(results.payload, result);
      }
      actions.clear();
      log.core().on_event(sink::ResultsReceived{results, {}, {}}, actions);
      log.write(actions, 0);
      acknowledged_ = number - 1;
      SeqRanges letters;
      letters.add(1, acknowledged_ / 2);
      letters = log.core().letters().of(kOrigin, letters);
      if (letters.count() > 0) log.write({sink::AppendDiscard{kOrigin, letters}}, 0);
      discarded_ = acknowledged_ / 2;
      if (turn % 3 == 0) log.rest();
    }
    log.rest();
  }

  void check(SimDisk& disk) override {
    const auto directory = disk.open();
    ResultLog log(*directory, options(), 0);
    if (log.core().head() < acknowledged_)
      throw std::runtime_error(
          text("the head is ", log.core().head(), ", acknowledged was ", acknowledged_));
    const auto found = bodies(*directory, log);
    for (std::uint64_t number = 1; number <= acknowledged_; ++number)
      if (found.at(number) != number - 1)
        throw std::runtime_error(text("result ", number, " is at another offset"));
    for (std::uint64_t number = 1; number <= acknowledged_; ++number)
      if (log.core().origins().not_done(kOrigin).state_of(number) != state_of(number))
        throw std::runtime_error(text("task ", number, " is taken to have ended otherwise"));
    check_projects(log);
    SeqRanges gone;
    if (discarded_ > 0) gone.add(1, discarded_);
    if (log.core().letters().of(kOrigin, gone).count() > 0)
      throw std::runtime_error("a discarded letter is on the list again");
    // Its duplicates are known: nothing acknowledged is taken a second time.
    sink::Actions actions;
    protocol::Results again{8, 1, 0, 1, "", kOrigin, {}};
    protocol::ResultRecord result;
    result.id = {kOrigin, acknowledged_};
    result.is_final = true;
    protocol::put_result(again.payload, result);
    if (acknowledged_ > 0) {
      log.core().on_event(sink::ResultsReceived{again, {}, {}}, actions);
      for (const auto& action : actions)
        if (std::holds_alternative<sink::AppendBatch>(action))
          throw std::runtime_error("a result was taken twice");
    }
  }

  std::uint64_t salvage(SimDisk& disk) override {
    const auto from = disk.open();
    SimDisk fresh(seed_);
    std::uint64_t told = 0;
    std::uint64_t last_told = 0;
    {
      const auto to = fresh.open();
      for (const auto& [first, last] : sink::salvage_log(*from, *to, options()).lost) {
        told += last - first + 1;
        last_told = last + 1;
      }
    }
    const auto directory = fresh.open();
    ResultLog log(*directory, options(), 0);
    const auto found = bodies(*directory, log);
    const auto reach = std::max(last_told, found.empty() ? 0 : found.rbegin()->first);
    if (found.size() + told < reach) throw std::runtime_error("a result is gone, and not told");
    return acknowledged_ > found.size() ? acknowledged_ - found.size() : 0;
  }

 private:
  /// Each task is counted once, whatever a start read of the log.
  static void check_projects(const ResultLog& log) {
    std::map<std::string, std::array<std::uint64_t, 5>, std::less<>> expected;
    for (std::uint64_t number = 1; number <= log.core().head(); ++number)
      ++expected[std::string(project_of(number))][static_cast<std::size_t>(state_of(number))];
    for (const auto& [name, counts] : expected) {
      const auto* found = log.core().projects().find(name);
      if (found == nullptr || found->counts != counts)
        throw std::runtime_error("project " + name + " has other counts");
    }
  }
  storage::StoreOptions options() {
    return {.segment_bytes = kSegmentBytes, .entropy = seed_ * 1000 + ++opened_};
  }
  static protocol::TaskState state_of(std::uint64_t number) {
    if (number % 5 == 0) return protocol::TaskState::kDead;
    return number % 7 == 0 ? protocol::TaskState::kCancelled : protocol::TaskState::kDone;
  }
  static std::string_view project_of(std::uint64_t number) {
    return number % 3 == 0 ? "photos" : "music";
  }
  static std::string body_of(std::uint64_t number) {
    return text("result ", number, std::string(number * 31 % 120, 'y'));
  }
  /// Of each task whose result is as it was written: its offset.
  static std::map<std::uint64_t, std::uint64_t> bodies(storage::Directory& directory,
                                                       ResultLog& log) {
    sink::History history(directory);
    history.take(log.take_news());
    std::map<std::uint64_t, std::uint64_t> found;
    protocol::Read read{0, 0, 0, 0, 1 << 20};
    while (read.offset < log.core().head()) {
      const auto records = history.read(read);
      ByteReader reader(records->payload);
      while (!reader.is_done()) {
        const auto batch = protocol::read_batch(reader.take(reader.get<std::uint32_t>()));
        protocol::ResultReader results(batch->records);
        for (std::uint32_t i = 0; i < batch->count; ++i) {
          const auto result = results.next();
          if (result->body == body_of(result->id.seq))
            found.emplace(result->id.seq, batch->first_offset + i);
        }
      }
      read.offset = records->next;
    }
    return found;
  }
  std::uint64_t seed_;
  std::uint64_t opened_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t discarded_ = 0;
};

}  // namespace

std::unique_ptr<Subject> make_log_subject(std::uint64_t seed) {
  return std::make_unique<LogSubject>(seed);
}

}  // namespace eole::crash
