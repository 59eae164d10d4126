#include "ventilator/core/wishes.hpp"

#include "common/base/planted.hpp"
#include "common/base/text.hpp"

namespace eole::ventilator {

namespace {
constexpr std::size_t kEntryBytes = 3 * 4;
}

std::optional<Error> Wishes::why_refused(const std::string& what, const std::string& about,
                                         std::string_view value) const {
  const auto bytes = what.size() + about.size() + value.size();
  if (bytes > kWishBytesMax)
    return Error{text(what, ": a wish of ", bytes, " bytes, limit ", kWishBytesMax),
                 ErrorCode::kTooLarge};
  const bool is_more = !value.empty() && !wishes_.contains({what, about});
  if (is_more && wishes_.size() >= kWishesMax && !planted("wishes-without-a-bound"))
    return Error{
        text(what, " ", about, ": ", wishes_.size(), " wishes are kept, limit ", kWishesMax),
        ErrorCode::kFull};
  return {};
}

void Wishes::put(const std::string& what, const std::string& about, Bytes value) {
  const Name name{what, about};
  if (const auto known = wishes_.find(name); known != wishes_.end()) {
    order_.erase(known->second.number);
    wishes_.erase(known);
  }
  if (value.empty()) return;
  order_.emplace(next_, name);
  wishes_.emplace(name, Wish{next_++, std::move(value)});
}

const Bytes* Wishes::find(const std::string& what, const std::string& about) const {
  const auto found = wishes_.find({what, about});
  return found == wishes_.end() ? nullptr : &found->second.value;
}

std::optional<std::string> Wishes::first_of(const std::string& what, std::size_t most) const {
  std::size_t count = 0;
  auto first = wishes_.end();
  for (auto at = wishes_.lower_bound({what, ""}); at != wishes_.end() && at->first.first == what;
       ++at, ++count)
    if (first == wishes_.end() || at->second.number < first->second.number) first = at;
  return count < most || count == 0 ? std::nullopt : std::optional(first->first.second);
}

void Wishes::save(SavePlace& place, Bytes& out) const {
  for (auto at = order_.lower_bound(place.number); at != order_.end(); ++at) {
    const auto& [what, about] = at->second;
    const auto& value = wishes_.at(at->second).value;
    const auto bytes = kEntryBytes + what.size() + about.size() + value.size();
    if (!out.empty() && out.size() + bytes > kPartBytesMax) return;
    put_wish(out, what, about, value);
    place.number = at->first + 1;
  }
}

bool Wishes::load(std::string_view payload) {
  ByteReader reader(payload);
  while (reader.ok() && !reader.is_done()) {
    const std::string what(reader.take(reader.get<std::uint32_t>()));
    const std::string about(reader.take(reader.get<std::uint32_t>()));
    Bytes value(reader.take(reader.get<std::uint32_t>()));
    if (!reader.ok() || what.empty()) return false;
    put(what, about, std::move(value));
  }
  return reader.ok();
}

void put_wish(Bytes& out, std::string_view what, std::string_view about, std::string_view value) {
  for (const auto part : {what, about, value}) {
    put<std::uint32_t>(out, static_cast<std::uint32_t>(part.size()));
    out += part;
  }
}

}  // namespace eole::ventilator
