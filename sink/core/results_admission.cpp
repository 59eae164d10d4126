#include "sink/core/results_admission.hpp"

#include <algorithm>
#include <utility>

#include "common/base/planted.hpp"

namespace eole::sink {

// A worker's claim that all up to `floor` was acknowledged (by a log that was lost, or before the
// run was forgotten) lets its results go on behind it; it acknowledges nothing by itself.
std::uint64_t ResultsAdmission::known_of(const protocol::Results& results) const {
  const auto level = runs_.level(results.run, results.origin);
  return planted("floor-ignored") ? level : std::max(level, results.floor);
}

bool ResultsAdmission::is_announced(Origin origin, const News& news) const {
  return origins_.is_introduced(origin) &&
         (news.highest <= origins_.announced(origin) || planted("forged-number-taken"));
}

// As far as can be told here: no lease is of a start to come.
bool ResultsAdmission::is_leased(Origin origin, const News& news) const {
  return news.start <= origins_.start(origin);
}

ResultsAdmission::Judged ResultsAdmission::judge(const protocol::Results& results,
                                                 std::string_view user) const {
  if (!runs_.may_use(results.run, user)) return {Standing::kForeign};
  const auto known = known_of(results);
  if (results.first > known + 1 && !planted("gap-in-results-taken")) return {Standing::kBehindGap};
  if (results.count == 0 || results.first + results.count - 1 <= known) return {Standing::kKnown};
  auto news = news_of(results, known);
  if (!news) return {Standing::kBroken};
  if (!is_announced(results.origin, *news)) return {Standing::kUnannounced, std::move(*news)};
  if (!is_leased(results.origin, *news)) return {Standing::kUnleased};
  return {Standing::kTaken, std::move(*news)};
}

// The results with numbers above `known`. Nothing if the message lies about itself: then its
// sender is broken, not its tasks.
std::optional<ResultsAdmission::News> ResultsAdmission::news_of(const protocol::Results& results,
                                                                std::uint64_t known) {
  News news;
  std::uint64_t left = results.count;
  ByteReader reader(results.payload);
  while (!reader.is_done()) {
    const auto run = protocol::read_result_run(reader);
    if (!run || run->count > left || run->first.id.origin != results.origin) return std::nullopt;
    if (run->first.id.seq == 0 || run->last() < run->first.id.seq) return std::nullopt;
    const auto first = results.first + results.count - left;
    left -= run->count;
    if (first + run->count <= known + 1) continue;  // All of it is here.
    const auto skipped = first <= known ? known + 1 - first : 0;
    news.runs.push_back(run->behind(static_cast<std::uint32_t>(skipped)));
    news.highest = std::max(news.highest, run->last());
    news.start = std::max(news.start, run->first.lease.start);
  }
  if (left > 0) return std::nullopt;
  return news;
}

}  // namespace eole::sink
