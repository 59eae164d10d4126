#include "worker/io/progress_queue.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using worker::ProgressQueue;

namespace {
protocol::Progress printed(Seq seq, std::string bytes, std::string stream = "stdout") {
  return {1, seq, "", 0, 0, std::move(stream), "", std::move(bytes)};
}
}  // namespace

TEST_CASE("what one stream prints in pieces is shown in one, and streams stay apart",
          "[progress]") {
  ProgressQueue queue;
  for (const auto* piece : {"a", "b"}) queue.add(printed(1, piece));
  queue.add(printed(1, "c", "stderr"));
  queue.add(printed(2, "d"));
  queue.add({1, 2, "", 3, 4, "", "page 3", {}});
  REQUIRE(queue.take() == std::deque<protocol::Progress>{printed(1, "ab"),
                                                         printed(1, "c", "stderr"),
                                                         printed(2, "d"),
                                                         {1, 2, "", 3, 4, "", "page 3", {}}});
  REQUIRE(queue.is_empty());
}

TEST_CASE("output that nobody fetches stays small: the newest is shown, and how much is not",
          "[progress]") {
  ProgressQueue queue;
  const std::string piece(10'000, 'x');
  for (int i = 0; i < 1000; ++i) queue.add(printed(1, piece));
  std::size_t bytes = 0;
  const auto shown = queue.take();
  for (const auto& entry : shown) bytes += entry.payload.size();
  REQUIRE(bytes < ProgressQueue::kProgressBytesMax + 100);
  const auto note = shown.front().payload.substr(0, shown.front().payload.find('x'));
  REQUIRE(note == "\n[... " + std::to_string(10'000'000 - (bytes - note.size())) +
                      " bytes not shown ...]\n");
  queue.add(printed(1, "y"));
  REQUIRE(queue.take() == std::deque<protocol::Progress>{printed(1, "y")});  // Told once.
}

TEST_CASE("what was dropped of a task that ended is forgotten", "[progress]") {
  ProgressQueue queue;
  for (int i = 0; i < 5; ++i) queue.add(printed(1, std::string(ProgressQueue::kPieceBytes, 'x')));
  queue.take();
  for (int i = 0; i < 5; ++i) queue.add(printed(1, std::string(ProgressQueue::kPieceBytes, 'x')));
  // It ends here; only then what it printed makes room.
  for (int i = 0; i < 5; ++i) queue.add(printed(2, std::string(ProgressQueue::kPieceBytes, 'x')));
  queue.take();
  queue.forget_ended([](const TaskId& id) { return id != TaskId{1, 1}; });
  queue.add(printed(1, "y"));
  REQUIRE(queue.take() == std::deque<protocol::Progress>{printed(1, "y")});
}

TEST_CASE("what could not be sent comes first again, and counts among what waits", "[progress]") {
  ProgressQueue queue;
  queue.add(printed(1, "a"));
  queue.add(printed(2, "b"));
  auto taken = queue.take();
  queue.add(printed(1, "c"));
  queue.give_back(taken);
  REQUIRE(queue.take() ==
          std::deque<protocol::Progress>{printed(1, "a"), printed(2, "b"), printed(1, "c")});
  const std::string piece(ProgressQueue::kPieceBytes, 'x');
  for (int i = 0; i < 4; ++i) queue.add(printed(1, piece));
  taken = queue.take();
  for (int i = 0; i < 4; ++i) queue.add(printed(2, piece));
  queue.give_back(taken);
  const auto shown = queue.take();
  REQUIRE(shown.size() == 4);
  REQUIRE(shown.front().seq == 2);
}
