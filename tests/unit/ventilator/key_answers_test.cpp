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

KeyAnswered answer_of(Seq first, std::uint32_t count, TimePoint seen = kBegin) {
  return {"key " + std::to_string(first), std::string(32, 'h'), {first, count}, seen};
}

// The key of the task of each number up to `last`; a dot: none.
std::vector<std::string> keys_of_tasks(const KeyAnswers& answers, Seq last) {
  std::vector<std::string> keys;
  for (Seq seq = 0; seq <= last; ++seq) {
    const auto found = answers.of_task(seq);
    keys.push_back(found ? found->key : ".");
  }
  return keys;
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

TEST_CASE("the key that a task came with is found by the task's number", "[key_answers]") {
  KeyAnswers answers;
  REQUIRE_FALSE(answers.of_task(1));
  std::vector<std::string> keys{"."};
  for (Seq first = 1; first <= 9'000;) {  // Some tasks between them have no key.
    const auto count = static_cast<std::uint32_t>(first % 5 + 1);
    answers.add(answer_of(first, count, kBegin + std::chrono::seconds(first)));
    keys.insert(keys.end(), count, "key " + std::to_string(first));
    keys.insert(keys.end(), first % 3, ".");
    first += count + first % 3;
  }
  const auto last = keys.size() + 9;
  keys.resize(last + 1, ".");
  REQUIRE(keys_of_tasks(answers, last) == keys);
  REQUIRE(answers.of_task(4)->answered == Answered{4, 5});
  KeyAnswers again;
  REQUIRE(again.load(save_all(answers)));
  REQUIRE(keys_of_tasks(again, last) == keys);
  // Tasks of the same submit are forgotten together.
  answers.forget_before(kBegin + 4'444s);
  for (Seq seq = 1; seq < keys.size(); ++seq)
    if (keys[seq] != "." && std::stoull(keys[seq].substr(4)) < 4'444) keys[seq] = ".";
  REQUIRE(keys_of_tasks(answers, last) == keys);
  answers.forget_before(kBegin + 99'999s);
  REQUIRE(keys_of_tasks(answers, last) == std::vector<std::string>(last + 1, "."));
}

TEST_CASE("keys that were loaded in another order are found by their tasks once they are sorted",
          "[key_answers]") {
  constexpr Seq kLast = 6'000;
  KeyAnswers loaded;
  // Records that outlived older ones; a snapshot, and what was added while it was written.
  for (Seq seq = 2'000; seq < 2'500; ++seq) loaded.add(answer_of(seq, 1));
  for (Seq seq = 1; seq <= kLast / 2; ++seq) {
    loaded.add(answer_of(seq, 1));
    loaded.add(answer_of(kLast / 2 + seq, 1));
  }
  loaded.add({"key 7", "another hash", {kLast + 1, 1}, kBegin});
  const auto bytes = loaded.bytes();
  loaded.sort();
  REQUIRE(loaded.bytes() == bytes);
  for (Seq seq = 1; seq <= kLast; ++seq) {
    REQUIRE(loaded.of_task(seq)->key == "key " + std::to_string(seq));
    if (seq != 7) REQUIRE(loaded.find("key " + std::to_string(seq))->answered.first == seq);
  }
  REQUIRE(loaded.find("key 7")->answered.first == kLast + 1);  // It was accepted last.
  KeyAnswers plain;
  for (Seq seq = 1; seq <= kLast; ++seq) plain.add(answer_of(seq, 1));
  plain.add({"key 7", "another hash", {kLast + 1, 1}, kBegin});
  REQUIRE(save_all(plain) == save_all(loaded));
}
