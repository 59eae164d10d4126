#include "cli/run/feed.hpp"

#include <algorithm>

#include "cli/common.hpp"
#include "common/base/text.hpp"

namespace eole::cli {

namespace {

TextList whole(InputSource source) {
  if (auto* list = std::get_if<TextList>(&source.from)) return std::move(*list);
  LineReader lines(std::get<std::string>(source.from));
  std::vector<std::string> texts;
  std::uint64_t bytes = 0;
  while (!lines.is_over()) {
    auto line = lines.next();
    if (!line) {
      if (!lines.is_over()) wait_for_input(lines.fd());
      continue;
    }
    bytes += line->size() + sizeof(std::string);
    if (bytes > Feed::kReadAtOnceBytesMax)
      throw Failure{kBadUse, text(shown(lines.path()), ": over ", Feed::kReadAtOnceBytesMax,
                                  " bytes of lines, of which every combination is wanted: name it "
                                  "first, that one is read as it is wanted")};
    texts.push_back(std::move(*line));
  }
  return TextList(std::move(texts));
}

}  // namespace

Feed::Feed(std::vector<InputSource> sources) : sources_(sources.size()) {
  if (auto* path = std::get_if<std::string>(&sources[0].from))
    lines_ = std::make_unique<LineReader>(*path);
  else
    list_ = std::move(std::get<TextList>(sources[0].from));
  LinkedLists linked;
  std::vector<LinkedLists> others;
  for (std::size_t i = 1; i < sources.size(); ++i) {
    if (!sources[i].is_linked) others.emplace_back();
    auto& group = others.empty() ? linked : others.back();
    group.push_back(whole(std::move(sources[i])));
  }
  if (list_) {
    total_ = list_->size();
    for (const auto& list : linked) total_ = std::min(*total_, list.size());
    for (const auto& group : others) {
      auto size = UINT64_MAX;
      for (const auto& list : group) size = std::min(size, list.size());
      total_ = *total_ * size;
    }
  }
  jobs_.emplace(std::move(linked), std::move(others));
}

std::optional<JobInputs> Feed::next() {
  if (!is_over_ && jobs_->wants_first()) {
    auto text = lines_                   ? lines_->next()
                : place_ < list_->size() ? std::optional(list_->at(place_++))
                                         : std::nullopt;
    if (text)
      jobs_->give_first(std::move(*text));
    else if (is_over_ = !lines_ || lines_->is_over(); true)
      return std::nullopt;
  }
  is_over_ = is_over_ || jobs_->is_over();
  if (is_over_) return std::nullopt;
  return jobs_->next();
}

}  // namespace eole::cli
