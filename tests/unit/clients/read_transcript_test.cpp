#include "clients/cpp/core/read.hpp"
#include "common/base/crc32c.hpp"
#include "tests/unit/clients/transcript.hpp"

using namespace eole;
using namespace eole::client;
using Value = protocol::Value;

namespace {

constexpr std::uint64_t kLog = 9;

/// A reader of the log.
class Told {
 public:
  explicit Told(const Cursor& from, const std::string& pattern = {})
      : core_(from, Transcript::kStart,
              pattern.empty() ? std::optional<TopicPattern>() : *TopicPattern::parse(pattern)) {
    transcript_.begin("does", "open");
    transcript_.note("from", Value::Array{from.log, from.offset, from.crc});
    if (!pattern.empty()) transcript_.note("pattern", pattern);
    end({});
  }
  void pass(Duration time) {
    transcript_.now += time;
    transcript_.begin("does", "wait");
    end({});
  }
  /// The answer to its latest read: batches of so many records each.
  void records(std::uint64_t first, const std::vector<std::uint32_t>& counts, std::uint64_t head) {
    std::vector<Bytes> batches;
    for (const auto count : counts) {
      batches.push_back(batch_of(first, count));
      first += count;
    }
    const auto crc = batches.empty() ? 0 : crc32c(batches.back());
    answer({request_, kLog, first, head, crc, pieces_of(batches)});
  }
  void answer(const protocol::Records& records) {
    transcript_.begin("hears", Transcript::wire(records));
    step(RecordsReceived{records});
  }
  void publishes(std::uint64_t first, std::uint32_t count, std::uint64_t log = kLog,
                 const std::string& project = {}) {
    const protocol::Notification news{log, batch_of(first, count, project)};
    transcript_.begin("hears", Transcript::wire(news));
    step(NotificationReceived{news});
  }
  void grows(std::uint64_t head, std::uint64_t log = kLog) {
    const protocol::LogHead grown{log, head};
    transcript_.begin("hears", Transcript::wire(grown));
    step(LogHeadReceived{grown});
  }
  void gone(std::uint64_t request, std::uint64_t kept_from) {
    const protocol::Gone gone{request, kLog, core_.cursor().offset, kept_from, kept_from + 9};
    transcript_.begin("hears", Transcript::wire(gone));
    step(ReadGone{gone});
  }
  void refused(std::uint64_t request, const std::string& reason) {
    const protocol::Refused refused{request, reason};
    transcript_.begin("hears", Transcript::wire(refused));
    step(ReadRefused{refused});
  }
  std::uint64_t request() const { return request_; }
  void check(const std::string& name) const { transcript_.check(name); }

 private:
  void step(ReadEvent event) {
    ReadActions out;
    core_.on_event(std::move(event), transcript_.now, out);
    end(std::move(out));
  }
  void end(ReadActions out) {
    core_.on_deadline(transcript_.now, out);
    Value::Array said;
    Value::Array found;
    for (const auto& action : out) {
      if (const auto* read = std::get_if<SendRead>(&action)) {
        request_ = read->read.request;
        said.push_back(Transcript::wire(read->read));
      }
      if (const auto* taken = std::get_if<TakeBatch>(&action)) {
        const auto batch = *protocol::read_batch(taken->batch);
        for (auto offset = batch.first_offset; offset < batch.first_offset + batch.count; ++offset)
          if (offset >= core_.from()) found.emplace_back(offset);
      }
      if (const auto* silent = std::get_if<ReadSilent>(&action))
        transcript_.note("error", silent->error.message);
      if (const auto* ended = std::get_if<ReadEnded>(&action)) {
        transcript_.note("error", ended->error.message);
        is_over_ = true;
      }
    }
    transcript_.note("says", std::move(said));
    transcript_.note("finds", std::move(found));
    transcript_.note("behind", core_.cursor().offset);
    transcript_.note("is", is_over_          ? Value::Array{"over"}
                           : core_.is_open() ? Value::Array{"open"}
                                             : Value::Array{});
  }

  Transcript transcript_;
  ReadCore core_;
  std::uint64_t request_ = 0;
  bool is_over_ = false;
};

}  // namespace

TEST_CASE("a reader reads across a sink's restart as in the transcript", "[transcript]") {
  Told told({0, 3, 0});
  told.pass(750ms);
  told.pass(250ms);  // Nobody answers yet: it is said again under its number.
  told.records(0, {5}, 5);
  told.publishes(5, 2);
  told.publishes(5, 2);
  told.grows(7);
  told.pass(10s);
  told.grows(9);  // What was published while it was away.
  told.pass(1s);
  told.records(7, {1}, 9);
  told.records(8, {1}, 9);
  told.records(8, {1}, 9);
  told.check("read_restart");
}

TEST_CASE("a reader closes a gap as in the transcript", "[transcript]") {
  Told told({kLog, 0, 0});
  told.publishes(0, 2);  // It has not heard of the log yet.
  told.records(0, {2}, 2);
  told.publishes(4, 2);
  told.publishes(6, 1);
  told.publishes(8, 1, kLog + 1);
  told.records(2, {1, 1}, 7);
  told.publishes(9, 1);
  told.records(7, {1, 1, 1}, 10);
  told.publishes(10, 1);
  told.check("read_gap");
}

TEST_CASE("a reader of a log that was replaced ends as in the transcript", "[transcript]") {
  Told told({0, 0, 0});
  told.records(0, {2}, 2);
  told.grows(1, kLog + 1);
  told.refused(told.request() - 1, "to another");
  told.refused(told.request(), "another log");
  told.grows(9);
  told.pass(60s);
  told.check("read_replaced_log");
}

TEST_CASE("a reader whose records are gone ends as in the transcript", "[transcript]") {
  Told told({kLog, 5, 0});
  told.gone(told.request() - 1, 70);
  told.gone(told.request(), 3);
  told.gone(told.request(), 70);
  told.check("read_gone");
}

TEST_CASE("a reader that is refused ends as in the transcript", "[transcript]") {
  Told told({0, 0, 0});
  told.refused(0, "this key may not read");
  told.check("read_refused");
}

TEST_CASE("a reader within a prefix reads as in the transcript", "[transcript]") {
  Told told({0, 0, 0});
  const auto within = [&](std::uint64_t first, std::uint32_t count, std::uint64_t next) {
    const auto pieces = count == 0 ? Bytes() : pieces_of({batch_of(first, count)});
    told.answer({told.request(), kLog, next, next, 0, pieces, "acme/"});
  };
  within(2, 1, 4);
  told.pass(100ms);
  within(0, 0, 4);
  told.pass(100ms);
  within(6, 2, 8);
  told.check("read_within");
}

TEST_CASE("a reader of some topics reads as in the transcript", "[transcript]") {
  Told told({0, 0, 0}, "photos/*/done");
  const auto fit = [&](const std::vector<std::uint64_t>& offsets, std::uint64_t next,
                       std::uint64_t head) {
    std::vector<Bytes> batches;
    for (const auto offset : offsets) batches.push_back(batch_of(offset, 1, "photos"));
    told.answer({told.request(), kLog, next, head, 0, pieces_of(batches)});
  };
  const auto publishes = [&](std::uint64_t first, std::uint32_t count, const char* project) {
    told.publishes(first, count, kLog, project);
  };
  fit({1}, 4, 4);  // What does not fit the sink leaves out,
  publishes(4, 4, "photos");  // and of what is published the client.
  publishes(4, 4, "photos");
  publishes(8, 2, "letters");
  publishes(12, 2, "photos");  // Behind a gap.
  fit({}, 12, 14);
  told.grows(20);
  fit({15}, 16, 20);
  fit({17, 19}, 20, 20);
  told.check("read_pattern");
}

TEST_CASE("a reader that hears nonsense, or nothing, says so as in the transcript",
          "[transcript]") {
  Told told({0, 0, 0});
  SECTION("a piece of a batch") {
    told.answer({told.request(), kLog, 2, 2, 0, "\5" + Bytes(7, 'x')});
    told.check("read_nonsense");
  }
  SECTION("a gap") {
    told.records(1, {1}, 2);
    told.check("read_nonsense_gap");
  }
  SECTION("nothing where something is") {
    told.records(0, {}, 2);
    told.check("read_nonsense_nothing");
  }
  SECTION("nothing") {
    told.pass(29750ms);
    told.pass(250ms);
    told.records(0, {1}, 1);
    told.check("read_silence");
  }
}
