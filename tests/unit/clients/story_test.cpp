#include "clients/cpp/tasks/story.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using client::history_of;
using client::how_cancelled;
using client::why_ended;
using protocol::Value;

namespace {

Value record(const char* state, int attempt, const char* worker, const char* error) {
  return Value::Map{{"offset", 7},
                    {"state", state},
                    {"attempt", attempt},
                    {"worker", worker},
                    {"finished", "2026-01-31T12:00:00.000Z"},
                    {"run_seconds", 3.2},
                    {"error", error}};
}
std::vector<std::string> texts(const Value::Array& list) {
  std::vector<std::string> out;
  for (const auto& each : list) out.push_back(each["text"].text_or(""));
  return out;
}

}  // namespace

TEST_CASE("an attempt of any number costs what one does", "[cli]") {
  const Value view = Value::Map{
      {"reasons", Value::Array{"attempt 9223372036854775807: x", "attempt 1: y"}}};
  REQUIRE(history_of(view, {}).size() == 2);
}

TEST_CASE("each attempt is told, those of lost workers too, and why there was another",
          "[history]") {
  auto letter = record("dead", 3, "", "dead after 3 attempts, attempt 3: failed: exit code 1");
  letter.set("reasons", Value::Array{"attempt 1: failed: exit code 1", "attempt 2: worker w2: gone",
                                     "attempt 3: failed: exit code 1"});
  const auto history = history_of(letter, {record("retrying", 1, "w1", "exit code 1"),
                                           record("retrying", 3, "w3", "exit code 1"), letter});
  REQUIRE(texts(history) ==
          std::vector<std::string>{
              "attempt 1 failed on w1 at 2026-01-31T12:00:00.000Z after 3.2 s: exit code 1; tried "
              "again, as its task asks",
              "attempt 2 was lost: worker w2: gone; tried again unasked",
              "attempt 3 failed on w3 at 2026-01-31T12:00:00.000Z after 3.2 s: exit code 1"});
  REQUIRE(history[1]["state"] == "lost");
  REQUIRE(history[2]["worker"] == "w3");
  REQUIRE(history[2]["offset"] == 7);
}

TEST_CASE("an attempt that left nothing in the log is told as lost", "[history]") {
  const auto done = record("done", 3, "w3", "");
  REQUIRE(texts(history_of(done, {record("retrying", 1, "w1", "exit code 1"), done})) ==
          std::vector<std::string>{
              "attempt 1 failed on w1 at 2026-01-31T12:00:00.000Z after 3.2 s: exit code 1; tried "
              "again, as its task asks",
              "attempt 2 was lost: no end of it is in the log; tried again unasked",
              "attempt 3 done on w3 at 2026-01-31T12:00:00.000Z after 3.2 s"});
  auto many = done;
  many.set("attempt", INT64_MAX);
  REQUIRE(history_of(many, {many}).size() == 255);
}

TEST_CASE("of two copies both are told", "[history]") {
  auto killed = record("copy", 1, "w1", "cancelled");
  killed.set("ended", "cancelled");
  killed.set("stopped", Value::Map{{"seconds", 0.02},
                                   {"pid", 4711},
                                   {"processes", 2},
                                   {"signals", Value::Array{"SIGTERM"}}});
  const auto done = record("done", 2, "w2", "");
  REQUIRE(texts(history_of(done, {killed, done})) ==
          std::vector<std::string>{
              "attempt 1 cancelled on w1 at 2026-01-31T12:00:00.000Z after 3.2 s: process 4711 and "
              "1 other got SIGTERM; gone after 20 ms; another end of its task counts",
              "attempt 2 done on w2 at 2026-01-31T12:00:00.000Z after 3.2 s"});
  REQUIRE(history_of(done, {killed, done})[0]["stopped"]["pid"] == 4711);
  REQUIRE(
      how_cancelled(killed) ==
      "its other copy was running on w1: process 4711 and 1 other got SIGTERM; gone after 20 ms, "
      "at 2026-01-31T12:00:00.000Z");
  auto lost = record("copy", 1, "", "worker w1: it fell silent");
  lost.set("ended", "failed");
  REQUIRE(texts(history_of(done, {lost, done}))[0] ==
          "attempt 1 was lost: worker w1: it fell silent; its other copy went on");
  REQUIRE(how_cancelled(lost) == "its other copy was lost: worker w1: it fell silent");
  REQUIRE(texts(history_of(done, {killed, lost, done})).size() == 2);  // It came back.
}

TEST_CASE("how a task ended is said by a code and a sentence", "[history]") {
  const auto said = [](const Value& view) {
    const auto why = why_ended(view);
    return why["code"].text_or("") + " | " + why["text"].text_or("");
  };
  auto done = record("done", 2, "w1", "");
  done.set("error", Value());
  REQUIRE(said(done) ==
          "done | it is done, attempt 2 on w1 at 2026-01-31T12:00:00.000Z after 3.2 s");
  REQUIRE(
      said(record("failed", 1, "w1", "no luck")) ==
      "failed | it is failed, attempt 1 on w1 at 2026-01-31T12:00:00.000Z after 3.2 s: no luck");
  auto never = record("cancelled", 0, "", "cancelled");
  never.set("run_seconds", 0.0);
  REQUIRE(said(never) ==
          "cancelled | it is cancelled at 2026-01-31T12:00:00.000Z, before it began");
  auto expired = record("cancelled", 0, "", "expired before it began");
  expired.set("code", "expired");
  expired.set("run_seconds", 0.0);
  REQUIRE(said(expired) == "expired | expired before it began at 2026-01-31T12:00:00.000Z");
  auto posing = record("failed", 1, "w1", "expired before it began");
  posing.set("code", "expired");  // A worker's own word for it.
  REQUIRE(why_ended(posing)["code"] == "failed");
  REQUIRE(said(Value::Map{{"state", "not done"}, {"is_kept", false}}) ==
          "not_kept | it ended, not done; its result is no longer kept");
}

TEST_CASE("of a cancelled task it is told whether it ran, and what ended it", "[history]") {
  auto waited = record("cancelled", 0, "", "cancelled");
  REQUIRE(how_cancelled(waited) ==
          "was waiting, and never began; cancelled at 2026-01-31T12:00:00.000Z");
  REQUIRE(how_cancelled(record("cancelled", 2, "", "cancelled")) ==
          "was waiting for its next attempt; cancelled at 2026-01-31T12:00:00.000Z");
  auto stored = record("cancelled", 1, "w1", "cancelled before it started");
  REQUIRE(how_cancelled(stored) ==
          "was waiting on w1, and never began; cancelled at 2026-01-31T12:00:00.000Z");
  auto ran = stored;
  ran.set("stopped", Value::Map{{"seconds", 0.02}});
  REQUIRE(how_cancelled(ran) ==
          "was running on w1: it ended 20 ms after it was told to, at 2026-01-31T12:00:00.000Z");
  ran.set("stopped", Value::Map{{"pid", 4711},
                                {"processes", 3},
                                {"signals", Value::Array{"SIGTERM", "SIGKILL"}},
                                {"seconds", 1.5}});
  REQUIRE(how_cancelled(ran) ==
          "was running on w1: process 4711 and 2 others got SIGTERM, then SIGKILL; gone after 1500 "
          "ms, at 2026-01-31T12:00:00.000Z");
  auto done = record("done", 1, "w1", "");
  REQUIRE(how_cancelled(done) ==
          "had ended before: it is done, attempt 1 on w1 at 2026-01-31T12:00:00.000Z after 3.2 s");
}
