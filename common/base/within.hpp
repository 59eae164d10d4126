#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/expected.hpp"

namespace eole {

constexpr std::size_t kPrefixBytesMax = 128;  // Of projects; a project has 255.

/// The projects that somebody may know of: all, or those whose names begin with a prefix. What is
/// outside does not exist for him (ring rule T1).
class Within {
 public:
  /// All.
  Within() = default;
  /// A prefix that was parsed before, as one that a message brings is; empty: all.
  explicit Within(std::string prefix) : prefix_(std::move(prefix)) {}
  /// Errors say why it is no prefix.
  static Expected<Within> parse(std::string_view prefix);
  /// As it was when tasks were accepted that are kept: those may lie within a//, too.
  static Expected<Within> parse_kept(std::string_view prefix);

  bool is_all() const { return prefix_.empty(); }
  const std::string& prefix() const { return prefix_; }
  bool has(std::string_view project) const;
  /// What lies in this one and is asked for; nothing is: all of this one. Errors: lies outside, is
  /// no prefix.
  Expected<Within> narrowed(std::string_view asked) const;
  /// A name that others may use, too, each for something else.
  std::string own(std::string_view name) const;
  /// As it was given to own().
  std::string_view shown(std::string_view own) const;
  bool operator==(const Within&) const = default;

 private:
  std::string prefix_;
};

}  // namespace eole
