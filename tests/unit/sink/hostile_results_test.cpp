#include "common/protocol/named_artifacts.hpp"
#include "tests/unit/sink/settler_rig.hpp"

using namespace eole;
using namespace eole::sink;
using namespace eole::sink::settler_rig;

TEST_CASE("a run belongs to the key that used it first", "[sink]") {
  Settler core(9);
  act(core, IntroduceReceived{"v", {1, kOrigin, 1, 100, 50, 0, 1, {}}, {}});
  auto own = results(1, {{1}});
  own.user = "alice";
  REQUIRE(act(core, own) ==
          Actions{AppendRun{kRun, "alice"}, batch(0, 1, {{1}}), PublishAck{kRun, kOrigin, 1}});
  auto other = results(2, {{2}}, 1);
  for (const std::string user : {"mallory", ""}) {
    other.user = user;
    REQUIRE(act(core, other).empty());
  }
  // A sink that loads its log knows it too.
  Settler after(9);
  after.load_introduction({kOrigin, 1, 100, 50, {}});
  after.load_run({kRun, "alice"});
  REQUIRE(act(after, other).empty());
  other.user = "alice";
  REQUIRE(act(core, other) == Actions{batch(1, 2, {{2}}), PublishAck{kRun, kOrigin, 2}});
}

TEST_CASE("a result of a number that was never given out settles no task to come", "[sink]") {
  auto core = introduced();
  const auto announce = [&](std::uint64_t nonce, Seq highest) {
    return act(core, AnnounceReceived{{kOrigin, nonce, highest}});
  };
  REQUIRE(act(core, results(1, {{50}})).size() == 2);
  REQUIRE(act(core, results(2, {{51}})).empty());
  REQUIRE(act(core, results(3, {{20}})).empty());  // Of the same worker, behind it.
  for (const auto seq : std::vector<Seq>{0, UINT64_MAX, 1ULL << 40}) {
    auto forged = results(1, {{seq}});
    forged.results.run = kRun + 1;
    REQUIRE(act(core, forged).empty());
  }
  REQUIRE(act(core, VerdictsReceived{{kOrigin, 1, 1, records({{51}})}}).empty());
  REQUIRE_FALSE(core.origins().is_settled({kOrigin, 51}));
  REQUIRE(announce(99, 60).empty());  // Not the ventilator that was introduced.
  REQUIRE(announce(100, 50).empty());
  REQUIRE(announce(100, 60) == Actions{batch(1, 2, {{51}}), PublishAck{kRun, kOrigin, 2},
                                       batch(2, 3, {{20}}), PublishAck{kRun, kOrigin, 3}});
}

TEST_CASE("a worker's key settles any announced task, but under no lease of a start to come",
          "[sink]") {
  auto core = introduced();
  for (const bool is_final : {true, false}) {
    auto forged = results(1, {{1, is_final, TaskState::kFailed}});
    for (const auto start : {2U, UINT32_MAX}) {
      write_at<std::uint32_t>(forged.results.payload.data(), kLeaseStartAt, start);
      REQUIRE(act(core, forged).empty());
    }
  }
  REQUIRE_FALSE(core.known({kOrigin, 1}).has_record);
  // Which worker has a task the sink does not know.
  auto trusted = results(1, {{7}});
  trusted.results.worker = "w9";
  REQUIRE(act(core, trusted) ==
          Actions{batch(0, 1, {{7}}, kRun, "w9"), PublishAck{kRun, kOrigin, 1}});
  // What comes before its ventilator's word is taken when it comes again.
  auto next = results(2, {{8}});
  write_at<std::uint32_t>(next.results.payload.data(), kLeaseStartAt, 2);
  REQUIRE(act(core, next).empty());
  act(core, IntroduceReceived{"v", {2, kOrigin, 2, 101, 50, 0, 1, {}}, {}});
  REQUIRE(act(core, next).size() == 2);
  REQUIRE(core.origins().is_settled({kOrigin, 8}));
}

TEST_CASE("a run that lies about what it has is dropped whole", "[sink]") {
  auto core = introduced();
  auto event = run(1, 1, {"\x80", "\x80"});
  const auto good = event.results.payload;
  for (const std::uint32_t count : {1U, 3U, UINT32_MAX}) {
    event.results.count = count;
    REQUIRE(act(core, event).empty());
  }
  event.results.count = 2;
  for (const std::uint32_t count : {0U, 1U, 3U, UINT32_MAX}) {  // In the run itself.
    event.results.payload = good;
    write_at<std::uint32_t>(event.results.payload.data(), 56, count);
    REQUIRE(act(core, event).empty());
  }
  event.results.payload = good;
  REQUIRE(act(core, event).size() == 2);
}

TEST_CASE("results of a message that name too many artifacts are refused by name", "[sink]") {
  const auto core = introduced();
  const auto naming = [](std::size_t count) {
    std::vector<Spec> specs;
    for (Seq seq = 1; count > 0; ++seq) {
      const auto part = std::min<std::size_t>(count, 255);
      specs.push_back({seq, true, TaskState::kDone, 1, "", std::string(part * 32, 'a')});
      count -= part;
    }
    return results(1, specs).results;
  };
  REQUIRE(core.artifacts_named(naming(protocol::kArtifactsPerMessageMax), "")->size() == 1);
  const auto refused = core.artifacts_named(naming(protocol::kArtifactsPerMessageMax + 1), "");
  REQUIRE_FALSE(refused);
  REQUIRE(refused.error().message == "results of w1: they name 1025 artifacts, limit 1024");
}

TEST_CASE("a message that lies about its records is dropped whole", "[sink]") {
  auto core = introduced();
  auto event = results(1, {{1}, {2}});
  event.results.payload.resize(event.results.payload.size() - 1);
  REQUIRE(act(core, event).empty());
  event = results(1, {{1}});
  event.results.payload += "x";
  REQUIRE(act(core, event).empty());
  REQUIRE(core.head() == 0);
}

TEST_CASE("a message that counts more results than it has bytes is dropped", "[sink]") {
  Settler core(1);
  Actions out;
  core.on_event(ResultsReceived{{5, 1, 0, UINT32_MAX, "w", kOrigin, "few bytes"}, {}, {}}, out);
  REQUIRE(out.empty());
}
