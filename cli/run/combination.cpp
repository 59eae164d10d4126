#include "cli/run/combination.hpp"

#include <algorithm>
#include <charconv>

#include "common/base/text.hpp"

namespace eole::cli {

namespace {

std::uint64_t size_of(const LinkedLists& lists) {
  auto size = UINT64_MAX;
  for (const auto& list : lists) size = std::min(size, list.size());
  return size;
}

}  // namespace

std::uint64_t NumberRange::count() const {
  const auto span = step > 0 ? last - first : first - last;
  return span < 0 ? 0 : static_cast<std::uint64_t>(span / (step > 0 ? step : -step)) + 1;
}

Expected<NumberRange> parse_range(const std::string& written) {
  constexpr std::int64_t kMost = 1'000'000'000'000'000;
  const Error bad{text("--range ", written,
                       ": is FIRST-LAST or FIRST-LAST:STEP, in whole numbers up to ", kMost)};
  const auto* at = written.data();
  const auto* end = at + written.size();
  const auto number = [&](std::int64_t& out) {
    const auto [next, error] = std::from_chars(at, end, out);
    at = next;
    return error == std::errc{} && out >= -kMost && out <= kMost;
  };
  const auto passes = [&](char letter) { return at != end && *at++ == letter; };
  NumberRange range;
  if (!number(range.first) || !passes('-') || !number(range.last)) return bad;
  const bool is_down = range.last < range.first;
  range.step = is_down ? -1 : 1;
  if (at == end) return range;
  if (!passes(':') || !number(range.step) || at != end) return bad;
  if (range.step == 0 || is_down != (range.step < 0))
    return Error{text("--range ", written, ": a step of ", range.step, " does not lead from ",
                      range.first, " to ", range.last)};
  return range;
}

std::string TextList::at(std::uint64_t place) const {
  if (!range_) return texts_[place];
  return std::to_string(range_->first + static_cast<std::int64_t>(place) * range_->step);
}

Combination::Combination(LinkedLists linked, std::vector<LinkedLists> others)
    : linked_(std::move(linked)),
      others_(std::move(others)),
      places_(others_.size(), 0),
      rows_max_(size_of(linked_)) {
  for (const auto& lists : others_) sizes_.push_back(size_of(lists));
  is_over_ = rows_max_ == 0 || std::find(sizes_.begin(), sizes_.end(), 0) != sizes_.end();
}

void Combination::give_first(std::string text) { first_ = std::move(text); }

JobInputs Combination::next() {
  JobInputs inputs{++number_, {*first_}};
  for (const auto& list : linked_) inputs.texts.push_back(list.at(row_));
  for (std::size_t i = 0; i < others_.size(); ++i)
    for (const auto& list : others_[i]) inputs.texts.push_back(list.at(places_[i]));
  for (auto i = others_.size(); i > 0; --i) {
    if (++places_[i - 1] < sizes_[i - 1]) return inputs;
    places_[i - 1] = 0;
  }
  first_.reset();
  is_over_ = ++row_ >= rows_max_;
  return inputs;
}

}  // namespace eole::cli
