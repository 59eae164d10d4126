#include "worker/core/outbox.hpp"

#include "common/protocol/named_artifacts.hpp"
#include "tests/unit/worker/rig.hpp"

using namespace eole;
using namespace eole::worker;

namespace {

/// An outbox whose results are told apart by their numbers.
struct OutboxRig {
  TimePoint now = kStart;
  Outbox outbox{Rig::config(), kRun, kOrigin};
  Actions out;

  static Task task(Seq seq, std::uint64_t lease, bool retry = false) {
    static const protocol::TaskClass once{"work", "", 0, 0};
    static const protocol::TaskClass again{"work", "", 0, 1};
    return {{kOrigin, seq}, {1, lease}, 1, retry ? &again : &once, {}};
  }
  void add(Seq seq, TaskState state = TaskState::kDone, bool retry = false) {
    outbox.add(task(seq, seq * 10, retry), {{kOrigin, seq}, {}, state, 7, 3, "", "\xc0"}, now);
  }
  struct Sent {
    std::uint64_t first = 0;
    std::uint64_t floor = 0;
    std::vector<Seq> seqs;
    bool operator==(const Sent&) const = default;
  };
  /// What was sent since, and nothing but results was.
  std::vector<Sent> sent() {
    std::vector<Sent> list;
    for (const auto& action : std::exchange(out, {})) {
      const auto& results = std::get<SendResults>(action);
      REQUIRE(results.results.run == kRun);
      REQUIRE(results.results.worker == "w1");
      Sent one{results.results.first, results.results.floor, {}};
      protocol::ResultReader reader(*results.records);
      while (const auto result = reader.next()) one.seqs.push_back(result->id.seq);
      REQUIRE(results.results.count == one.seqs.size());
      list.push_back(one);
    }
    return list;
  }
  std::vector<Sent> pass(Duration time, bool are_more_near = false) {
    now += time;
    outbox.on_deadline(now, are_more_near, out);
    return sent();
  }
  std::vector<Sent> acknowledge(std::uint64_t log, std::uint64_t level) {
    outbox.on_ack({log, kRun, level, kOrigin}, now, out);
    return sent();
  }
  std::vector<protocol::Held> held() const {
    std::vector<protocol::Held> held;
    outbox.append_held(held);
    return held;
  }
};

using List = std::vector<OutboxRig::Sent>;

}  // namespace

TEST_CASE("an outbox sends its oldest results again until they are acknowledged", "[worker]") {
  OutboxRig rig;
  rig.add(1);
  REQUIRE(rig.pass(0s) == List{{1, 0, {1}}});
  rig.add(2);
  rig.add(3);
  REQUIRE(rig.pass(0s) == List{{2, 0, {2, 3}}});
  REQUIRE(rig.pass(999ms).empty());
  REQUIRE(rig.pass(1ms) == List{{1, 0, {1}}});
  REQUIRE(rig.acknowledge(9, 1) == List{{2, 1, {2, 3}}});  // The sink is back: the rest.
  REQUIRE(rig.acknowledge(9, 2).empty());
  REQUIRE(rig.outbox.count() == 1);
  REQUIRE(rig.held() == std::vector<protocol::Held>{{{kOrigin, 3}, {1, 30}, HeldState::kFinished}});
  REQUIRE(rig.acknowledge(9, 3).empty());
  REQUIRE(rig.outbox.is_empty());
  REQUIRE(rig.outbox.bytes() == 0);
  REQUIRE(rig.outbox.next_deadline() == TimePoint::max());
}

TEST_CASE("an outbox waits a little for results that are near", "[worker]") {
  OutboxRig rig;
  rig.add(1);
  REQUIRE(rig.pass(0s, true).empty());
  REQUIRE(rig.outbox.next_deadline() == rig.now + 5ms);
  rig.now += 3ms;
  rig.add(2);
  REQUIRE(rig.pass(2ms, true) == List{{1, 0, {1, 2}}});
}

TEST_CASE("an outbox divides results that name more artifacts than a message may", "[worker]") {
  OutboxRig rig;
  const auto add = [&](Seq seq, std::size_t artifacts) {
    rig.outbox.add(OutboxRig::task(seq, seq * 10),
                   {{kOrigin, seq}, {}, TaskState::kDone, 7, 3, Bytes(artifacts * 32, 'a'), "\xc0"},
                   rig.now);
  };
  for (Seq seq = 1; seq <= 4; ++seq) add(seq, 255);
  add(5, protocol::kArtifactsPerMessageMax - 4 * 255);
  add(6, 0);
  add(7, 1);
  REQUIRE(rig.pass(0s) == List{{1, 0, {1, 2, 3, 4, 5, 6}}, {7, 0, {7}}});
}

TEST_CASE("an outbox sends all it keeps to another log, and believes no level beyond what it sent",
          "[worker]") {
  OutboxRig rig;
  rig.add(1);
  rig.add(2);
  rig.pass(0s);
  rig.add(3);
  REQUIRE(rig.acknowledge(9, 1).empty());
  REQUIRE(rig.acknowledge(10, 3) == List{{1, 1, {1, 2}}});
  REQUIRE(rig.acknowledge(10, 3).empty());
  REQUIRE(rig.outbox.count() == 1);  // The third was never sent.
}

TEST_CASE("an outbox adopts what it has under the later lease, but not the next attempt",
          "[worker]") {
  OutboxRig rig;
  rig.add(1);
  rig.add(2, TaskState::kFailed, true);
  REQUIRE_FALSE(rig.outbox.adopt(rig.task(3, 99)));
  REQUIRE(rig.outbox.adopt(rig.task(1, 99)));
  REQUIRE(rig.outbox.adopt(rig.task(2, 20)));
  REQUIRE_FALSE(rig.outbox.adopt(rig.task(2, 98)));
  REQUIRE(rig.held() == std::vector<protocol::Held>{{{kOrigin, 1}, {1, 99}, HeldState::kFinished}});
}
