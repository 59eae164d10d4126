#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

/// How a kind of task describes itself: plain constants, without a handler, so that a client which
/// only checks arguments links nothing of what runs them.
namespace eole::kinds {

enum class Type : std::uint8_t {
  kText,
  kWebUrl,  // http:// or https://, without control characters.
  kSha256,  // 64 lower-case hexadecimal letters.
  kInteger,
  kNumber,
  kBoolean,
  kBytes,
  kTexts,
  kIntegers,
  kTextMap,
  kAny,
};

struct Argument {
  std::string_view name;
  Type type = Type::kText;
  std::string_view about;
  bool is_needed = false;
  std::string_view fallback = {};  // As JSON; empty: the argument stays away.
  /// Of a number its bounds, of anything else its size: bytes, items or members.
  std::optional<double> min = {};
  std::optional<double> max = {};
  std::span<const std::string_view> choices = {};  // Of texts: each one of these; none: any.
};

/// What runs the tasks of a kind.
enum class Runner : std::uint8_t {
  kInline,   // The worker's loop: for what takes microseconds and never waits.
  kThread,   // A slot's thread.
  kProcess,  // A process below the slot, for what must not take the worker with it.
};

struct Kind {
  std::string_view name;
  std::string_view about;
  std::string_view result;
  Runner runner = Runner::kThread;
  std::span<const Argument> arguments = {};
  /// The argument that each word after the kind is, for a task of its own; empty: none.
  std::string_view per_word = {};
  /// What the words after the kind are; empty: as per_word says.
  std::string_view words = {};
  /// Exactly one of these arguments must be there.
  std::span<const std::string_view> one_of = {};
  bool takes_anything = false;  // Its arguments are whatever one likes.
  bool needs_exec = false;      // Only with --allow-exec.
};

// Limits that several kinds share.
inline constexpr double kTextBytesMax = 1 << 20;  // What one task's arguments may have in all.
inline constexpr double kNameBytesMax = 255;
inline constexpr double kUrlBytesMax = 65536;
inline constexpr double kSecondsMax = 30 * 86400.0;
inline constexpr double kFileBytesMax = 1LL << 50;

}  // namespace eole::kinds
