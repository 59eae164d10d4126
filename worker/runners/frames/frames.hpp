#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/expected.hpp"

/// What a worker and a child process that runs tasks for it say to each other, whatever language
/// the child is written in: u8 type, u32 size, and a payload, one flat msgpack array of the fields
/// below in their order. A reader ignores fields behind those that it knows.
namespace eole::frames {

/// The descriptor that a child finds its end of the socket at.
constexpr int kSocket = 3;
constexpr std::uint64_t kVersion = 1;
/// Of one payload: a task's arguments, or its value, and little more.
constexpr std::size_t kFrameBytesMax = 4 << 20;

/// child -> worker, first of all and once: what it can do.
struct Hello {
  static constexpr std::uint8_t kType = 1;
  std::uint64_t version = kVersion;
  std::vector<std::string> kinds;  // Written as their number, and each.
  bool operator==(const Hello&) const = default;
};

/// worker -> child: runs a task. The next one comes after its end.
struct Run {
  static constexpr std::uint8_t kType = 2;
  std::uint64_t number = 0;  // Of the runs of this child, from 1; all that is said of it has it.
  std::string task;          // Its id.
  std::uint64_t attempt = 0;
  std::string kind;
  Bytes args;             // msgpack, with defaults filled in.
  std::string directory;  // Of this attempt alone, empty, removed afterwards.
  std::string project = {};  // Empty: none.
  std::string traceparent = {};  // Of the trace that it is part of; empty: none.
  bool operator==(const Run&) const = default;
};

/// worker -> child: the run is to end, in its own way for a while, then in any. Its end is told as
/// ever. One that has ended meanwhile is not meant any more.
struct Cancel {
  static constexpr std::uint8_t kType = 3;
  std::uint64_t number = 0;
  std::uint64_t grace_ms = 0;
  bool operator==(const Cancel&) const = default;
};

/// child -> worker: what the task printed, in any pieces.
struct Output {
  static constexpr std::uint8_t kType = 4;
  std::uint64_t number = 0;
  std::uint64_t stream = 1;  // 1 stdout, 2 stderr.
  Bytes bytes;
  bool operator==(const Output&) const = default;
};

/// child -> worker: the run is over, and done.
struct Done {
  static constexpr std::uint8_t kType = 5;
  std::uint64_t number = 0;
  Bytes value;                     // msgpack; empty: none.
  std::vector<std::string> files;  // Their number, and each: names in the run's directory.
  bool operator==(const Done&) const = default;
};

/// child -> worker: the run is over, and failed.
struct Failed {
  static constexpr std::uint8_t kType = 6;
  std::uint64_t number = 0;
  std::string error;
  Bytes value;  // As that of Done.
  bool operator==(const Failed&) const = default;
};

/// child -> worker: how far the run is, as often as it likes. A total of zero: not known.
struct Progress {
  static constexpr std::uint8_t kType = 7;
  std::uint64_t number = 0;
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  std::string text;  // What it is at, for people; may be empty.
  bool operator==(const Progress&) const = default;
};

using Frame = std::variant<Hello, Run, Cancel, Output, Done, Failed, Progress>;

Bytes encode(const Frame& frame);

/// Puts frames together from the pieces that a socket gives. Holds no more than one that is not
/// whole yet, and what was added since.
class FrameReader {
 public:
  void add(std::string_view bytes);
  /// The next whole frame, if there is one. An error is final: nothing behind it can be told apart.
  Expected<std::optional<Frame>> next();

 private:
  Bytes bytes_;
  std::size_t taken_ = 0;
};

}  // namespace eole::frames
