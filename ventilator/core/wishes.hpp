#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/bytes.hpp"
#include "common/base/expected.hpp"
#include "ventilator/core/parts.hpp"

namespace eole::ventilator {

constexpr std::size_t kWishesMax = 4096;      // Of all kinds; one more is refused.
constexpr std::size_t kWishBytesMax = 16384;  // Of one: what it is, whom it is about, its value.

/// What operators asked for, and holds until they take it back: a value (one msgpack value) by what
/// it is ("pause") and whom it is about ("project:photos").
class Wishes {
 public:
  /// Why it cannot be kept; nothing if it can.
  std::optional<Error> why_refused(const std::string& what, const std::string& about,
                                   std::string_view value) const;
  /// In place of what was wished before; an empty value takes it back.
  void put(const std::string& what, const std::string& about, Bytes value);
  /// Null if there is none.
  const Bytes* find(const std::string& what, const std::string& about) const;
  /// The one of these that was wished first; nothing if there are fewer than `most`.
  std::optional<std::string> first_of(const std::string& what, std::size_t most) const;
  template <class Visit>  // visit(about, value)
  void each(std::string_view what, Visit&& visit) const {
    for (const auto& [name, wish] : wishes_)
      if (name.first == what) visit(name.second, wish.value);
  }

  /// For Part::kWishes.
  void save(SavePlace& place, Bytes& out) const;
  bool load(std::string_view payload);

 private:
  using Name = std::pair<std::string, std::string>;
  struct Wish {
    std::uint64_t number = 0;
    Bytes value;
  };
  std::map<Name, Wish> wishes_;
  std::map<std::uint64_t, Name> order_;  // A snapshot goes by it, whatever is taken back meanwhile.
  std::uint64_t next_ = 1;
};

/// Appends an entry of a record of wishes.
void put_wish(Bytes& out, std::string_view what, std::string_view about, std::string_view value);

}  // namespace eole::ventilator
