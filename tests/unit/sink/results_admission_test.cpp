#include "sink/core/results_admission.hpp"

#include "tests/unit/sink/settler_rig.hpp"

using namespace eole;
using namespace eole::sink;
using namespace eole::sink::settler_rig;
using Standing = ResultsAdmission::Standing;

namespace {

constexpr std::uint64_t kNonce = 9;

/// An origin in its first start that announced its tasks up to 10, and a run of which three results
/// are here.
struct Known {
  Known() {
    runs.claim(kRun, "ada");
    runs.raise(kRun, kOrigin, 3);
    REQUIRE(origins.introduce({kOrigin, 1, kNonce, 10, {}}));
  }
  Standing of(const ResultsReceived& event, std::string_view user = "ada") const {
    return ResultsAdmission(runs, origins).judge(event.results, user).standing;
  }
  Runs runs;
  Origins origins;
};

}  // namespace

TEST_CASE("what becomes of results follows from their run and their ventilator", "[sink]") {
  const Known known;
  CHECK(known.of(results(4, {{4}, {5}})) == Standing::kTaken);
  CHECK(known.of(results(4, {{4}}), "bob") == Standing::kForeign);
  CHECK(known.of(results(5, {{5}})) == Standing::kBehindGap);
  CHECK(known.of(results(5, {{5}}, 4)) == Standing::kTaken);  // Its floor closes the gap.
  CHECK(known.of(results(2, {{2}, {3}})) == Standing::kKnown);
  CHECK(known.of(results(4, {})) == Standing::kKnown);
  CHECK(known.of(results(4, {{4}, {11}})) == Standing::kUnannounced);
  auto later = results(4, {{4}});
  later.results.payload[kLeaseStartAt] = 2;
  CHECK(known.of(later) == Standing::kUnleased);
}

TEST_CASE("results that lie about themselves are broken", "[sink]") {
  const Known known;
  auto fewer = results(4, {{4}, {5}});
  fewer.results.count = 1;
  CHECK(known.of(fewer) == Standing::kBroken);
  auto more = results(4, {{4}, {5}});
  more.results.count = 3;
  CHECK(known.of(more) == Standing::kBroken);
  auto cut = results(4, {{4}, {5}});
  cut.results.payload.pop_back();
  CHECK(known.of(cut) == Standing::kBroken);
  auto others = results(4, {{4}});
  others.results.payload[0] = static_cast<char>(kOrigin + 1);
  CHECK(known.of(others) == Standing::kBroken);
  CHECK(known.of(results(4, {{0}})) == Standing::kBroken);
}

TEST_CASE("of results some of which are here the rest is news", "[sink]") {
  const Known known;
  const auto event = results(2, {{2}, {7}, {9}, {4}});
  const auto judged = ResultsAdmission(known.runs, known.origins).judge(event.results, "ada");
  REQUIRE(judged.standing == Standing::kTaken);
  std::vector<Seq> seqs;
  for (const auto& run : judged.news.runs) seqs.push_back(run.first.id.seq);
  CHECK(seqs == std::vector<Seq>{9, 4});
  CHECK(judged.news.highest == 9);
  CHECK(judged.news.start == 1);
}
