#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/expected.hpp"
#include "common/protocol/runner_offers.hpp"

/// What a worker and a child process that runs tasks for it say to each other, whatever language
/// the child is written in: u8 type, u32 size, and a payload, one flat msgpack array of the fields
/// below in their order. A reader ignores fields behind those that it knows. docs/runners.md says
/// it to who writes such a child.
namespace eole::frames {

/// The descriptor that a child finds its end of the socket at.
constexpr int kSocket = 3;
/// What tells a child so.
constexpr const char* kSocketVariable = "EOLE_RUNNER_FD";
constexpr std::uint64_t kVersion = 2;
/// Of one payload: a task's arguments, or its value, and little more.
constexpr std::size_t kFrameBytesMax = 4 << 20;
/// That one run hands back: a payload has 256 fields at most.
constexpr std::size_t kFilesMax = 250;
constexpr std::uint64_t kKindsMax = 256;  // Of one child.
constexpr std::uint64_t kAheadMax = 256;  // Runs that one child has at a time.

/// child -> worker, first of all and once. So many kinds follow, each a frame.
struct Hello {
  static constexpr std::uint8_t kType = 1;
  std::uint64_t version = kVersion;
  /// How many runs it takes at a time: more than one by reading ahead, for it runs them one after
  /// another, in the order in which they came.
  std::uint64_t ahead = 1;
  std::uint64_t kinds = 1;
  bool operator==(const Hello&) const = default;
};

/// child -> worker, behind its hello: what it can do, as its worker tells of it.
struct Kind : protocol::KindOffer {
  static constexpr std::uint8_t kType = 8;
};

/// worker -> child: runs a task. The next one comes after its end, unless the child reads ahead.
struct Run {
  static constexpr std::uint8_t kType = 2;
  std::uint64_t number = 0;  // Of the runs of this child, from 1; all that is said of it has it.
  std::string task;          // Its id.
  std::uint64_t attempt = 0;
  std::string kind;
  Bytes args;  // msgpack, with defaults filled in.
  /// Of this attempt alone, and removed afterwards. If it is not there yet, the child makes it.
  std::string directory;
  std::string project = {};      // Empty: none.
  std::string traceparent = {};  // Of the trace that it is part of; empty: none.
  bool operator==(const Run&) const = default;
};

/// worker -> child: the run is to end, in its own way for a while, then in any; without a beginning
/// if it has not begun. Its end is told as ever. One that has ended meanwhile is not meant any
/// more.
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
  Bytes value;                       // As that of Done.
  std::string cause = {};            // common/protocol/causes.hpp; empty: error.
  std::uint64_t retry_after_ms = 0;  // Another attempt makes no sense sooner.
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

/// child -> worker: lay this artifact into the run's directory. Answered once by Fetched.
struct Fetch {
  static constexpr std::uint8_t kType = 9;
  std::uint64_t number = 0;
  std::string sha256;
  std::string name;  // Of the file, which is not there yet.
  bool operator==(const Fetch&) const = default;
};

/// worker -> child: the file is there, whole, or why it will not be.
struct Fetched {
  static constexpr std::uint8_t kType = 10;
  std::uint64_t number = 0;
  std::string name;
  std::string error = {};
  bool operator==(const Fetched&) const = default;
};

/// worker -> child that has no run: is it well? One that does not answer is replaced.
struct Ping {
  static constexpr std::uint8_t kType = 11;
  std::uint64_t number = 0;
  bool operator==(const Ping&) const = default;
};

/// child -> worker: the number of the ping.
struct Pong {
  static constexpr std::uint8_t kType = 12;
  std::uint64_t number = 0;
  bool operator==(const Pong&) const = default;
};

using Frame = std::variant<Hello, Kind, Run, Cancel, Output, Done, Failed, Progress, Fetch, Fetched,
                           Ping, Pong>;

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
