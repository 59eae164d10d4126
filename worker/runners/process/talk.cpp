#include "worker/runners/process/talk.hpp"

#include <algorithm>
#include <utility>

#include "common/base/planted.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/protocol/runner_offers.hpp"

namespace eole::worker {

Expected<void> Talk::hear(const frames::Hello& hello) {
  if (hello_) return Error{"a second hello"};
  if (hello.version != frames::kVersion)
    return Error{text("version ", hello.version, ", this is ", frames::kVersion)};
  if (hello.kinds < 1 || hello.kinds > frames::kKindsMax)
    return Error{text(hello.kinds, " kinds, allowed are 1 to ", frames::kKindsMax)};
  if (hello.ahead < 1 || hello.ahead > frames::kAheadMax)
    return Error{text(hello.ahead, " runs ahead, allowed are 1 to ", frames::kAheadMax)};
  if (hello.ahead < needed_ahead_)
    return Error{text(hello.ahead, " runs ahead, there were ", needed_ahead_, " before")};
  hello_ = hello;
  return {};
}

Expected<void> Talk::hear(frames::Kind& kind) {
  if (!hello_) return Error{"no hello before all else"};
  if (is_introduced()) return Error{text("more kinds than the ", hello_->kinds, " of its hello")};
  if (auto checked = protocol::check_kind_name(kind.name); !checked) return checked;
  const auto is_called = [](const std::string& name) {
    return [&name](const frames::Kind& each) { return each.name == name; };
  };
  if (std::any_of(kinds_.begin(), kinds_.end(), is_called(kind.name)))
    return Error{text("the kind ", shown(kind.name), " twice")};
  kinds_.push_back(std::move(kind));
  if (!is_introduced()) return {};
  for (const auto& name : needed_)
    if (std::none_of(kinds_.begin(), kinds_.end(), is_called(name)))
      return Error{text("a hello without the kind ", name)};
  return {};
}

Expected<std::optional<std::uint64_t>> Talk::meant(std::uint64_t number) const {
  if (!is_introduced()) return Error{"no hello before all else"};
  if (planted("frames-of-another-run")) return std::optional<std::uint64_t>(0);
  if (number > begun_) return Error{text("run ", number, ", this is run ", begun_)};
  if (number <= ended_) return std::optional<std::uint64_t>();
  return std::optional(number - ended_ - 1);
}

Expected<bool> Talk::end(std::uint64_t number) {
  const auto run = meant(number);
  if (!run) return run.error();
  if (!*run) return false;
  if (**run > 0) return Error{text("the end of run ", number, " before that of run ", ended_ + 1)};
  ++ended_;
  return true;
}

}  // namespace eole::worker
