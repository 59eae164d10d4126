#include "ventilator/core/tasks.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::ventilator;
using State = Task::State;

TEST_CASE("a task is counted in the state that it is in, and in no other", "[ventilator]") {
  Tasks tasks;
  auto& task = tasks.at(7);
  REQUIRE(tasks.count(State::kReady) == 1);
  tasks.lease(task, 1, {1, 5});
  REQUIRE(tasks.leased() == 1);
  REQUIRE(tasks.count(State::kReady) == 0);
  tasks.suspect(task);
  tasks.give_back(task);
  tasks.wait(task, TimePoint(1s));
  tasks.give_back(task);
  tasks.end(task, protocol::TaskState::kDead);
  REQUIRE(tasks.count(State::kEnding) == 1);
  REQUIRE(tasks.size() == 1);
  tasks.settle(7);
  tasks.settle(7);
  REQUIRE(tasks.size() == 0);
  REQUIRE(tasks.count(State::kEnding) == 0);
  REQUIRE(tasks.highest() == 7);
}

TEST_CASE("what is told of a task's losses fits the run that it is leased with", "[ventilator]") {
  Task task;
  for (int i = 0; i < 40; ++i) task.add_reason(std::string(4000, 'w'), true);
  std::size_t bytes = 0;
  for (const auto& reason : task.story->lost) bytes += reason.size() + 5;  // As msgpack has it.
  REQUIRE(task.story->lost.size() == 16);
  REQUIRE(bytes <= UINT16_MAX);
}

TEST_CASE("each lease begins an attempt; who holds a task keeps its attempt", "[ventilator]") {
  Tasks tasks;
  auto& task = tasks.at(3);
  tasks.lease(task, 1, {1, 5});
  REQUIRE(task.attempt == 1);
  REQUIRE(tasks.leased_as(3, {1, 5}, 1) == &task);
  REQUIRE(tasks.leased_as(3, {1, 6}, 1) == nullptr);
  REQUIRE(tasks.leased_as(3, {1, 5}, 2) == nullptr);
  tasks.suspect(task);
  tasks.adopt(task, 2, {1, 5});
  REQUIRE(task.attempt == 1);
  REQUIRE(tasks.leased_as(3, {1, 5}, 2) == &task);
}

TEST_CASE("notes of neighbours that were leased together are one entry", "[ventilator]") {
  Tasks tasks;
  for (Seq seq = 1; seq <= 3; ++seq) tasks.lease(tasks.at(seq), 9, {1, 10 + seq});
  tasks.lease(tasks.at(4), 8, {1, 14});
  tasks.at(5);
  SavePlace place{Part::kNotes};
  Bytes out;
  tasks.save_notes(place, out);
  Notes notes;
  REQUIRE(load_notes(out, notes));
  REQUIRE(notes.runs() == std::map<Seq, Note>{{1, {9, {1, 11}, 1, 3}}, {4, {8, {1, 14}, 1, 1}}});
}
