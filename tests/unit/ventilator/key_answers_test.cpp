#include "ventilator/core/key_answers.hpp"

#include <catch2/catch.hpp>
#include <deque>
#include <random>

using namespace eole;
using namespace eole::ventilator;
using namespace std::chrono_literals;

namespace {

constexpr TimePoint kBegin{};

std::string save_all(const KeyAnswers& answers) {
  SavePlace place;
  std::string all;
  for (Bytes part; part.clear(), answers.save(place, part), !part.empty();) all += part;
  return all;
}

}  // namespace

TEST_CASE("answers with keys are found, said again, forgotten and saved as a plain list has them",
          "[key_answers]") {
  std::mt19937 random(7);
  KeyAnswers answers;
  std::deque<KeyAnswered> plain;
  for (Seq seq = 1; seq <= 60'000; ++seq) {
    const TimePoint now = kBegin + std::chrono::seconds(seq);
    // Some come again once they are forgotten, some before.
    KeyAnswered answer{"key " + std::to_string(random() % 20'000), std::string(random() % 40, 'h'),
                       {seq, static_cast<std::uint32_t>(seq % 7)}, now};
    answers.add(answer);
    plain.push_back(std::move(answer));
    if (seq % 1'000 != 0) continue;
    const auto before = now - (seq == 30'000 ? 0s : 5'000s);
    answers.forget_before(before);
    while (!plain.empty() && plain.front().seen < before) plain.pop_front();
    std::uint64_t bytes = 0;
    for (const auto& each : plain) bytes += 20 + each.key.size() + each.hash.size();
    REQUIRE(answers.bytes() == bytes);
    for (int i = 0; i < 100; ++i) {
      const auto key = "key " + std::to_string(random() % 20'000);
      const auto last = std::find_if(plain.rbegin(), plain.rend(),
                                     [&](const auto& each) { return each.key == key; });
      const auto found = answers.find(key);
      REQUIRE(found.has_value() == (last != plain.rend()));
      if (!found) continue;
      REQUIRE(found->answered == last->answered);
      REQUIRE(found->hash == last->hash);
      REQUIRE(found->seen == last->seen);
    }
  }
  KeyAnswers again;
  REQUIRE(again.load(save_all(answers)));
  REQUIRE(again.load(save_all(answers)));  // A later snapshot has the same.
  REQUIRE(save_all(again) == save_all(answers));
  again.take_for_new(kBegin + 5s);
  again.forget_before(kBegin + 5s);
  REQUIRE(again.bytes() == answers.bytes());
  again.forget_before(kBegin + 6s);
  REQUIRE(save_all(again).empty());
}

TEST_CASE("a snapshot of answers goes on behind what was forgotten and added meanwhile",
          "[key_answers]") {
  KeyAnswers answers;
  const auto add = [&](Seq seq) {
    answers.add({"key " + std::to_string(seq), std::string(32, 'h'), {seq, 1}, kBegin + std::chrono::seconds(seq)});
  };
  for (Seq seq = 1; seq <= 5'000; ++seq) add(seq);
  SavePlace place;
  Bytes part;
  answers.save(place, part);
  answers.forget_before(kBegin + 4'999s);
  for (Seq seq = 5'001; seq <= 9'000; ++seq) add(seq);
  Bytes rest;
  for (part.clear(); answers.save(place, part), !part.empty(); part.clear()) rest += part;
  KeyAnswers again;
  REQUIRE(again.load(rest));
  for (Seq seq = 1; seq <= 9'000; ++seq)
    REQUIRE(again.find("key " + std::to_string(seq)).has_value() == (seq >= 4'999));
  REQUIRE_FALSE(again.load("cut off"));
}
