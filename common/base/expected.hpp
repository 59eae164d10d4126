#pragma once
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <variant>

namespace eole {

/// Of which sort a failure is, for programs: what to do next depends on it.
enum class ErrorCode : std::uint8_t {
  kBad,       // Any other: what was asked makes no sense as it is.
  kAway,      // Nobody answered: nothing is known to be wrong with what was asked.
  kDenied,    // The key's role does not go so far.
  kOutside,   // Not within the caller's projects.
  kUnknown,   // There is no such thing, or not any longer.
  kConflict,  // There is something else, or it is in another state.
  kKeyUsed,   // The key was used for other tasks.
  kTooLarge,  // Beyond a limit that stays as it is.
  kQuota,     // Beyond what the caller may have now.
  kFull,      // No room now.
  kDamaged,   // What is kept, or was answered, cannot be read: not the fault of who asked.
};

/// A foreseen failure, told to a person: what, which, why, limit.
struct Error {
  std::string message;
  ErrorCode code = ErrorCode::kBad;
  std::uint32_t retry_after_ms = 0;  // Before that it makes no sense; zero: not known.
  bool is_silence() const { return code == ErrorCode::kAway; }
  bool operator==(const Error&) const = default;
};

/// A value, or the error that stands in its place.
template <class T>
class [[nodiscard]] Expected {
 public:
  Expected(T value) : state_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Expected(Error error) : state_(std::move(error)) {}  // NOLINT(google-explicit-constructor)
  explicit operator bool() const { return state_.index() == 0; }
  T& operator*() { return std::get<0>(state_); }
  const T& operator*() const { return std::get<0>(state_); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

/// Success without a value, or an error.
template <>
class [[nodiscard]] Expected<void> {
 public:
  Expected() = default;
  Expected(Error error) : error_(std::move(error)), ok_(false) {}  // NOLINT
  explicit operator bool() const { return ok_; }
  const Error& error() const { return error_; }

 private:
  Error error_;
  bool ok_ = true;
};

/// Stops the process when something that must hold does not: our mistake, never the input's.
inline void invariant(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "eole: broken invariant: %s\n", what);
  std::abort();
}

}  // namespace eole
