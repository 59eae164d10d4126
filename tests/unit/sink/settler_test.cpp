#include "tests/unit/sink/settler_rig.hpp"

using namespace eole;
using namespace eole::sink;
using namespace eole::sink::settler_rig;

TEST_CASE("what tasks of a run said of themselves is forgotten with their results", "[sink]") {
  auto core = introduced();
  for (const Seq seq : {2, 3, 5}) core.under_way().hear({kOrigin, seq}, "p", 1, 4, core.origins());
  act(core, run(1, 1, {"\x80", "\x80", "\x80"}));
  using Done = std::map<std::string, double, std::less<>>;
  REQUIRE(core.under_way().done({}) == Done{{"p", 0.25}});
}

TEST_CASE("results are appended in order, then acknowledged", "[sink]") {
  auto core = introduced();
  REQUIRE(act(core, results(1, {{1}, {2}})) ==
          Actions{batch(0, 2, {{1}, {2}}), PublishAck{kRun, kOrigin, 2}});
  REQUIRE(act(core, results(3, {{3}})) ==
          Actions{batch(2, 3, {{3}}), PublishAck{kRun, kOrigin, 3}});
  REQUIRE(core.head() == 3);
}

TEST_CASE("the first final record of a task wins; later ones are dropped, yet acknowledged",
          "[sink]") {
  auto core = introduced();
  act(core, results(1, {{1}}));
  auto late = results(1, {{1, true, TaskState::kFailed, 2}});
  late.results.run = 78;
  REQUIRE(act(core, late) == Actions{PublishAck{78, kOrigin, 1}});
}

namespace {
Spec of_copy(Seq seq, bool is_final, TaskState state, std::uint64_t lease, bool is_copy) {
  return {seq, is_final, state, lease, "", "", 0, true, is_copy};
}
}  // namespace

TEST_CASE("what became of the other of two copies is logged, and settles nothing", "[sink]") {
  auto core = introduced();
  act(core, results(1, {of_copy(1, true, TaskState::kDone, 2, false)}));
  std::uint64_t number = 0;
  for (const auto& [state, is_final] :
       {std::pair{TaskState::kDone, true}, {TaskState::kFailed, false}}) {
    const auto lease = number == 0 ? 1U : 3U;
    auto late = results(++number, {of_copy(1, is_final, state, lease, false)});
    late.results.run = 78;
    const auto logged = batch(number, number, {of_copy(1, false, state, lease, true)}, 78);
    REQUIRE(logged.settlements.at(0).second.failures.empty());  // None is to be made good.
    REQUIRE(act(core, late) == Actions{logged, PublishAck{78, kOrigin, number}});
  }
  REQUIRE(core.known({kOrigin, 1}).state == TaskState::kDone);

  // Once: a power cut may have what was taken come again under another number.
  auto again_sent = results(3, {of_copy(1, true, TaskState::kDone, 1, false),
                                of_copy(1, true, TaskState::kDone, 2, false),
                                of_copy(2, false, TaskState::kCancelled, 1, true)});
  again_sent.results.run = 78;
  REQUIRE(act(core, again_sent) == Actions{PublishAck{78, kOrigin, 5}});
  REQUIRE_FALSE(core.known({kOrigin, 2}).has_record);  // And no copy's of what has not ended.

  // So it is after a restart.
  Settler again(9);
  again.load_introduction({kOrigin, 1, 9, 100, {}});
  again.load_run({79, ""});
  for (const auto& appended : {batch(0, 1, {of_copy(1, true, TaskState::kDone, 2, false)}),
                               batch(1, 1, {of_copy(1, false, TaskState::kFailed, 1, true)}, 78)})
    again.load_batch(*protocol::read_batch(appended.batch));
  REQUIRE(again.known({kOrigin, 1}).state == TaskState::kDone);
  auto once_more = results(1, {of_copy(1, true, TaskState::kDone, 1, false)});
  once_more.results.run = 79;
  REQUIRE(act(again, once_more).size() <= 1);
  SettlementPage page;
  page.add(
      *protocol::read_batch(batch(1, 1, {of_copy(1, false, TaskState::kFailed, 1, true)}).batch),
      kOrigin, 1);
  REQUIRE((page.settlement.failures.empty() && page.settlement.ranges.empty()));
}

TEST_CASE("a copy is lost only while its own end does not count", "[sink]") {
  const auto lost = [](std::uint64_t lease) {
    return of_copy(1, false, TaskState::kFailed, lease, true);
  };
  const auto verdict = [&](std::uint64_t lease) {
    return VerdictsReceived{{kOrigin, 1, 1, records({lost(lease)})}};
  };
  auto core = introduced();
  REQUIRE(act(core, verdict(1)) == Actions{batch(0, 0, {lost(1)}, 0, "")});
  act(core, results(1, {of_copy(1, true, TaskState::kDone, 2, false)}));
  REQUIRE(act(core, verdict(2)).empty());
  REQUIRE(act(core, verdict(3)) == Actions{batch(2, 0, {lost(3)}, 0, "")});
}

TEST_CASE("how long attempts ran is told by project, of what is news alone", "[sink]") {
  using Ran = protocol::Settlement::Ran;
  const auto told = [](const Actions& out) {
    std::vector<Ran> all;
    for (const auto& action : out)
      if (const auto* append = std::get_if<AppendBatch>(&action))
        for (const auto& [origin, settlement] : append->settlements)
          all.insert(all.end(), settlement.ran.begin(), settlement.ran.end());
    return all;
  };
  auto core = introduced();
  const std::vector<Spec> specs{{1, true, TaskState::kDone, 1, "one", "", 5'000},
                                {2, false, TaskState::kFailed, 2, "one", "", 300},
                                {3, true, TaskState::kCancelled, 3, "one", "", 0},
                                {4, true, TaskState::kDone, 4, "other", "", 7}};
  REQUIRE(told(act(core, results(1, specs))) == std::vector<Ran>{{1, 2, 5'300}, {4, 1, 7}});
  auto late = results(1, specs);
  late.results.run = 78;
  REQUIRE(told(act(core, late)).empty());
  SettlementPage page;
  const auto log = batch(10, 4, {specs[0], specs[1]}).batch;
  page.add(*protocol::read_batch(log), kOrigin, 11);
  REQUIRE(page.settlement.ran == std::vector<Ran>{{2, 1, 300}});
}

TEST_CASE("a repeated message changes nothing and is acknowledged again", "[sink]") {
  auto core = introduced();
  act(core, results(1, {{1}, {2}}));
  REQUIRE(act(core, results(1, {{1}, {2}})) == Actions{PublishAck{kRun, kOrigin, 2}});
}

TEST_CASE("a gap in a run's numbers is not taken", "[sink]") {
  auto core = introduced();
  REQUIRE(act(core, results(2, {{2}})) == Actions{PublishAck{kRun, kOrigin, 0}});
  REQUIRE(core.head() == 0);
}

TEST_CASE("a sink that forgot a run goes on from the worker's floor", "[sink]") {
  auto core = introduced();
  REQUIRE(act(core, results(51, {{7}}, 50)) ==
          Actions{batch(0, 51, {{7}}), PublishAck{kRun, kOrigin, 51}});
}

TEST_CASE("what a worker says of its floor acknowledges nothing that was not taken", "[sink]") {
  auto core = introduced();
  act(core, results(1, {{1}}));
  const auto huge = 1ULL << 63;
  REQUIRE(act(core, results(1, {{1}}, huge)) == Actions{PublishAck{kRun, kOrigin, 1}});
  REQUIRE(act(core, results(2, {{2}}, huge)) == Actions{PublishAck{kRun, kOrigin, 1}});
  REQUIRE(act(core, results(9, {{2}}, 3)) == Actions{PublishAck{kRun, kOrigin, 1}});
  REQUIRE(act(core, results(2, {{2}}, 1)) ==
          Actions{batch(1, 2, {{2}}), PublishAck{kRun, kOrigin, 2}});
}

TEST_CASE("an origin's results wait, unacknowledged, until it is introduced", "[sink]") {
  Settler core(9);
  REQUIRE(act(core, results(1, {{1}})).empty());
  REQUIRE(act(core, results(1, {{1}})).empty());  // Again: it is kept once.
  const auto actions = act(core, IntroduceReceived{"v", {1, kOrigin, 1, 100, 50, 0, 1, {}}, {}});
  REQUIRE(actions.size() == 5);
  REQUIRE(std::holds_alternative<AppendIntroduction>(actions[0]));
  REQUIRE(std::holds_alternative<Reply>(actions[1]));
  REQUIRE(Actions(actions.begin() + 2, actions.end()) ==
          Actions{AppendRun{kRun, ""}, batch(0, 1, {{1}}), PublishAck{kRun, kOrigin, 1}});
}

TEST_CASE("a verdict of an earlier start than was introduced last counts no more", "[sink]") {
  auto core = introduced();
  act(core, IntroduceReceived{"v", {2, kOrigin, 3, 101, 50, 0, 1, {}}, {}});
  const auto verdict = [&](std::uint32_t start, Seq seq) {
    return act(core, VerdictsReceived{{kOrigin, 1, start, records({{seq}})}});
  };
  REQUIRE(verdict(1, 5).empty());
  REQUIRE(verdict(2, 5).empty());
  REQUIRE_FALSE(core.origins().is_settled({kOrigin, 5}));
  REQUIRE_FALSE(verdict(3, 5).empty());
  REQUIRE(core.origins().is_settled({kOrigin, 5}));
}

TEST_CASE("an origin that is not introduced holds up no result of another", "[sink]") {
  auto core = introduced();
  auto unknown = results(1, {{1}});
  unknown.results.origin = kOrigin + 1;
  write_at<std::uint32_t>(unknown.results.payload.data(), 0, kOrigin + 1);
  REQUIRE(act(core, unknown).empty());
  REQUIRE(act(core, results(1, {{1}})) ==
          Actions{batch(0, 1, {{1}}), PublishAck{kRun, kOrigin, 1}});
  // A message is of one origin.
  auto mixed = results(2, {{2}});
  mixed.results.origin = kOrigin + 1;
  REQUIRE(act(core, mixed).empty());
}

TEST_CASE("what the ventilator knew to be settled is not news to a new log", "[sink]") {
  Settler core(9);
  SeqRanges settled;
  settled.add(1, 10);
  act(core, IntroduceReceived{"v", {1, kOrigin, 1, 100, 50, 0, 1, {}}, settled});
  REQUIRE(act(core, results(1, {{4}})) ==
          Actions{AppendRun{kRun, ""}, PublishAck{kRun, kOrigin, 1}});
}

TEST_CASE("a failure that is not final is logged once per lease and settles nothing", "[sink]") {
  auto core = introduced();
  const Spec failure{1, false, TaskState::kFailed, 1};
  REQUIRE(act(core, results(1, {failure})).size() == 2);
  REQUIRE(act(core, results(2, {failure})) == Actions{PublishAck{kRun, kOrigin, 2}});
  REQUIRE(core.origins().settled_count() == 0);
  REQUIRE(act(core, results(3, {{1}})).size() == 2);
  REQUIRE(core.origins().settled_count() == 1);
}

TEST_CASE("results of several projects are batches of their own", "[sink]") {
  auto core = introduced();
  const Spec red{1, true, TaskState::kDone, 1, "red"};
  const Spec blue{2, true, TaskState::kDone, 1, "blue"};
  REQUIRE(act(core, results(1, {red, blue})) ==
          Actions{batch(0, 0, {red}), batch(1, 2, {blue}), PublishAck{kRun, kOrigin, 2}});
}

TEST_CASE("of a message's batches the first may be all that a power cut leaves", "[sink]") {
  const Spec red{1, true, TaskState::kDone, 1, "red"};
  const Spec blue{2, true, TaskState::kDone, 1, "blue"};
  auto before = introduced();
  const auto written = act(before, results(1, {red, blue}));
  auto core = introduced();
  core.load_batch(*protocol::read_batch(std::get<AppendBatch>(written[0]).batch));
  REQUIRE(act(core, results(1, {red, blue})) ==
          Actions{batch(1, 2, {blue}), PublishAck{kRun, kOrigin, 2}});
}

TEST_CASE("of a run enters what is news, and nothing twice", "[sink]") {
  auto core = introduced();
  const auto run_of = [](std::uint64_t number, Seq first, Seq last) {
    return run(number, first, std::vector<std::string>(last + 1 - first, "\x80"));
  };
  const auto taken = [&](const Actions& actions) {
    std::vector<Seq> seqs;
    for (const auto& action : actions)
      if (const auto* append = std::get_if<AppendBatch>(&action)) {
        const auto found = protocol::read_batch(append->batch);
        protocol::ResultReader reader(found->records);
        while (const auto result = reader.next()) {
          REQUIRE(result->lease == Lease{1, result->id.seq});
          seqs.push_back(result->id.seq);
        }
        REQUIRE(found->count == append->summary.count);
      }
    return seqs;
  };
  REQUIRE(taken(act(core, run_of(1, 1, 4))) == std::vector<Seq>{1, 2, 3, 4});
  REQUIRE(core.counts()[static_cast<std::size_t>(TaskState::kDone)] == 4);
  // Numbers 3 and 4 again, and two more: a message that straddles what was taken.
  REQUIRE(taken(act(core, run_of(3, 3, 6))) == std::vector<Seq>{5, 6});
  // Another worker had 5, 6 and 9 as well: tasks that are settled in the middle of a run.
  auto other = run_of(1, 9, 9);
  other.results.run = 8;
  REQUIRE(taken(act(core, other)) == std::vector<Seq>{9});
  REQUIRE(taken(act(core, run_of(7, 5, 11))) == std::vector<Seq>{7, 8, 10, 11});
  REQUIRE(core.origins().settled_count() == 11);
  REQUIRE(core.head() == 11);
}

TEST_CASE("a result that is too large fails alone, its neighbours of the run do not", "[sink]") {
  auto core = introduced();
  const auto actions =
      act(core, run(1, 1, {"\x80", std::string(protocol::kInlineBytesMax + 5000, 'x'), "\x80"}));
  const auto encoded = std::get<AppendBatch>(actions[0]).batch;
  protocol::ResultReader reader(protocol::read_batch(encoded)->records);
  REQUIRE(reader.next()->state == TaskState::kDone);
  REQUIRE_THAT(error_in(*reader.next()), Catch::Contains("limit 1048576"));
  REQUIRE(reader.next()->state == TaskState::kDone);
  REQUIRE_FALSE(reader.next());
}

TEST_CASE("a result whose artifact is missing is logged as failed, never skipped", "[sink]") {
  auto core = introduced();
  const std::string artifact(32, 'a');
  auto event = results(1, {{1, true, TaskState::kDone, 1, "", artifact}});
  event.missing = {artifact};
  const auto actions = act(core, event);
  const auto encoded = std::get<AppendBatch>(actions[0]).batch;
  const auto found = protocol::read_batch(encoded);
  protocol::ResultReader reader(found->records);
  const auto result = reader.next();
  REQUIRE(result->state == TaskState::kFailed);
  REQUIRE(result->artifacts.empty());
  REQUIRE_THAT(error_in(*result), Catch::Contains("is not in the sink"));
}

TEST_CASE("only the artifacts of results that may be taken now are looked for", "[sink]") {
  auto core = introduced();
  const std::string one(32, 'a');
  const std::string two(32, 'b');
  const auto naming = [](std::uint64_t first, const std::vector<Spec>& specs) {
    return results(first, specs).results;
  };
  const auto of = [](Seq seq, const std::string& artifacts) {
    return Spec{seq, true, TaskState::kDone, 1, "", artifacts};
  };
  auto both = naming(1, {of(1, one + one), of(2, two)});
  REQUIRE(*core.artifacts_named(both, "") == NamedArtifacts{one, two});
  act(core, results(1, {of(1, one + one)}));
  REQUIRE(*core.artifacts_named(both, "") == NamedArtifacts{two});  // The first is known.
  REQUIRE(core.artifacts_named(both, "another key")->empty());
  REQUIRE(core.artifacts_named(naming(3, {of(3, one)}), "")->empty());   // Behind a gap.
  REQUIRE(core.artifacts_named(naming(2, {of(51, one)}), "")->empty());  // Not announced.
  auto lying = naming(2, {of(2, two)});
  lying.count = 2;
  REQUIRE(core.artifacts_named(lying, "")->empty());
  auto strange = naming(2, {of(2, two)});
  strange.origin = kOrigin + 1;
  REQUIRE(core.artifacts_named(strange, "")->empty());
}

TEST_CASE("a batch comes with what is to be known of it", "[sink]") {
  auto core = introduced();
  const Spec dead{4, true, TaskState::kDead, 1};
  const Spec failure{9, false, TaskState::kFailed, 7};
  act(core, results(1, {{1}}));
  const auto actions = act(core, results(2, {{3}, dead, failure, {5}, {1}}));
  const auto& [batch, project, summary, settlements] = std::get<AppendBatch>(actions[0]);
  REQUIRE((summary.first_offset == 1 && summary.count == 4));  // The last is no news.
  REQUIRE(summary.stretches == std::vector<Stretch>{{kOrigin, 3, 3, true, false},
                                                    {kOrigin, 4, 4, true, true},
                                                    {kOrigin, 9, 9, false, false},
                                                    {kOrigin, 5, 5, true, false}});
  protocol::Settlement expected;
  expected.ranges = {{3, 5}};
  expected.not_done = {{{4, 4}, TaskState::kDead}};
  expected.failures = {{9, {1, 7}, ""}};
  REQUIRE(settlements == Settlements{{kOrigin, expected}});
}

TEST_CASE("a journal that went back, or a copy of it, is refused by name", "[sink]") {
  auto core = introduced();
  act(core, results(1, {{40}}));
  const auto refusal = [&](std::uint32_t start, std::uint64_t nonce, Seq highest) {
    const auto actions =
        act(core, IntroduceReceived{"v", {2, kOrigin, start, nonce, highest, 0, 1, {}}, {}});
    return std::get<protocol::Refused>(std::get<Reply>(actions.back()).message).reason;
  };
  REQUIRE_THAT(refusal(1, 101, 50), Catch::Contains("another ventilator runs from a copy"));
  REQUIRE_THAT(refusal(0, 101, 50), Catch::Contains("the journal went back"));
  REQUIRE_THAT(refusal(2, 101, 30), Catch::Contains("its highest task is 30, the log knows 40"));
}

TEST_CASE("a later start supersedes the one before", "[sink]") {
  auto core = introduced();
  REQUIRE_FALSE(core.origins().why_not_followed(kOrigin, 100));
  act(core, IntroduceReceived{"v", {2, kOrigin, 2, 200, 50, 0, 1, {}}, {}});
  REQUIRE_FALSE(core.origins().why_not_followed(kOrigin, 200));
  REQUIRE_THAT(*core.origins().why_not_followed(kOrigin, 100), Catch::Contains("superseded"));
}

TEST_CASE("a sink that loads its log decides as before", "[sink]") {
  auto before = introduced();
  const auto first = act(before, results(1, {{1}, {2, false, TaskState::kFailed, 3}}));
  Settler after(9);
  after.load_run({kRun, ""});
  after.load_introduction({kOrigin, 1, 100, 50, {}});
  after.load_batch(*protocol::read_batch(std::get<AppendBatch>(first[0]).batch));
  REQUIRE(after.head() == before.head());
  REQUIRE(after.counts() == before.counts());
  REQUIRE(act(after, results(1, {{1}, {2, false, TaskState::kFailed, 3}})) ==
          Actions{PublishAck{kRun, kOrigin, 2}});
}

TEST_CASE("what ends is counted by kind and state, and how long it ran", "[sink]") {
  auto core = introduced();
  act(core, results(1, {{1}, {2, true, TaskState::kFailed}}));
  act(core, results(3, {{3, false, TaskState::kFailed}}));
  act(core, results(1, {{1}, {2}}));  // Once more.
  const auto& echo = core.kinds().all().at("echo");
  CHECK(echo.ends == std::array<std::uint64_t, 5>{1, 1, 1, 0, 0});
  CHECK(echo.runs.counts()[0] == 3);
}
