#pragma once
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <variant>

namespace eole {

/// A foreseen failure, told to a person: what, which, why, limit.
struct Error {
  std::string message;
  bool is_silence = false;  // Nobody answered: nothing is known to be wrong with what was asked.
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
