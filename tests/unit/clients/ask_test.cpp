#include "clients/cpp/core/ask.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::client;

namespace {

constexpr TimePoint kStart = TimePoint(1000s);

Question query(std::uint64_t request) { return protocol::Query{request, "status", 0, 0, {}}; }

QuestionEnded refused(std::uint64_t request, const std::string& why) {
  return {request, Error{why}, {}};
}

struct Rig {
  AskCore core{"the sink"};
  TimePoint now = kStart;
  AskActions out;
  AskActions& step(AskEvent event) {
    out.clear();
    core.on_event(std::move(event), now, out);
    core.on_deadline(now, out);
    return out;
  }
  AskActions& pass(Duration time) {
    now += time;
    out.clear();
    core.on_deadline(now, out);
    return out;
  }
};

}  // namespace

TEST_CASE("many questions are under way at once, each hears its own answer", "[ask]") {
  Rig rig;
  const Question cancel = protocol::Cancel{2, 7, "ranges"};
  REQUIRE(rig.step(Asked{query(1), 10s}) == AskActions{SendQuestion{query(1)}});
  REQUIRE(rig.step(Asked{cancel, 10s}) == AskActions{SendQuestion{cancel}});
  REQUIRE(rig.step(AnswerReceived{{2, "two"}}) == AskActions{QuestionEnded{2, {}, "two"}});
  REQUIRE(rig.step(AnswerReceived{{2, "two"}}).empty());  // It came twice.
  REQUIRE(rig.step(AnswerReceived{{1, "one"}}) == AskActions{QuestionEnded{1, {}, "one"}});
  REQUIRE(rig.core.is_idle());
  REQUIRE_FALSE(rig.core.next_deadline());
}

TEST_CASE("a question is repeated every second until it is answered", "[ask]") {
  Rig rig;
  rig.step(Asked{query(1), 10s});
  REQUIRE(rig.core.next_deadline() == kStart + 1s);
  REQUIRE(rig.pass(1s - 1ns).empty());
  rig.step(Asked{query(2), 10s});
  REQUIRE(rig.pass(1ns) == AskActions{SendQuestion{query(1)}});
  REQUIRE(rig.pass(1s - 1ns) == AskActions{SendQuestion{query(2)}});
  rig.step(AnswerReceived{{1, ""}});
  REQUIRE(rig.pass(1s) == AskActions{SendQuestion{query(2)}});
}

TEST_CASE("a question is given up when its own patience ends", "[ask]") {
  Rig rig;
  rig.step(Asked{query(1), 1500ms});
  rig.step(Asked{query(2), 60s});
  rig.pass(1s);
  REQUIRE(rig.core.next_deadline() == kStart + 1500ms);
  REQUIRE(rig.pass(500ms) ==
          AskActions{QuestionEnded{
              1,
              Error{"no answer from the sink within 1 s: is it running, and may this key connect?",
                    ErrorCode::kAway},
              {}}});
  REQUIRE_FALSE(rig.core.is_idle());
}

TEST_CASE("a refusal ends its question, one without a number all of them", "[ask]") {
  Rig rig;
  rig.step(Asked{query(1), 10s});
  rig.step(Asked{query(2), 10s});
  rig.step(Asked{query(3), 10s});
  REQUIRE(rig.step(QuestionRefused{{2, "no"}}) == AskActions{refused(2, "the sink: no")});
  REQUIRE(rig.step(QuestionRefused{{0, "never"}}) ==
          AskActions{refused(1, "the sink: never"), refused(3, "the sink: never")});
  REQUIRE(rig.core.is_idle());
}

TEST_CASE("one question too many is not asked, and says the limit", "[ask]") {
  Rig rig;
  for (std::uint64_t i = 1; i <= AskCore::kQuestionsMax; ++i) rig.step(Asked{query(i), 10s});
  auto one_too_many = refused(5000, "4096 questions to the sink wait for answers, limit 4096");
  one_too_many.error->code = ErrorCode::kFull;
  REQUIRE(rig.step(Asked{query(5000), 10s}) == AskActions{one_too_many});
}

TEST_CASE("an answer that is no value is damage, and nothing that the asker did", "[ask]") {
  const Rig rig;
  REQUIRE(*rig.core.read(protocol::Value("yes").to_msgpack()) == protocol::Value("yes"));
  for (const auto* torn : {"", "\xc1", "\x92\x01"}) {
    const auto answer = rig.core.read(torn);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == ErrorCode::kDamaged);
    CHECK(answer.error().message.starts_with("the sink: an answer that cannot be read: "));
  }
}
