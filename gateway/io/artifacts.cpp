#include "gateway/io/artifacts.hpp"

#include <algorithm>

#include "common/base/ids.hpp"
#include "common/base/text.hpp"
#include "gateway/core/http/file_names.hpp"
#include "gateway/core/http/ranges.hpp"
#include "gateway/core/refusal.hpp"
#include "gateway/io/gateway.hpp"

namespace eole::gateway {

using http::Problem;
using http::Response;

namespace {

bool has_body(const Exchange& exchange) { return exchange.request.method != "HEAD"; }

}  // namespace

awaitable<Artifacts::Piece> Artifacts::piece(std::string sha256, std::uint64_t from,
                                             std::uint32_t most) {
  auto got = co_await told_later<Expected<Piece>>([&](auto tell) {
    // Shared by the two that hear of it. One piece is all that is wanted: the rest is ended.
    auto first = std::make_shared<std::optional<Piece>>();
    fabric_.transfers().get(
        sha256, from,
        [first](const client::TakePiece& taken) -> Expected<void> {
          first->emplace(Piece{taken.size, taken.bytes});
          return Error{"taken"};
        },
        [first, tell](const Expected<void>& ended) {
          tell(*first ? Expected<Piece>(std::move(**first)) : Expected<Piece>(ended.error()));
        },
        most);
  });
  if (!got) throw problem_of(got.error());
  co_return std::move(*got);
}

awaitable<void> Artifacts::send_bytes(Exchange& exchange, std::string sha256, std::uint64_t from,
                                      std::uint64_t size) {
  while (size > 0) {
    const auto most = static_cast<std::uint32_t>(std::min<std::uint64_t>(kPieceBytes, size));
    const auto next = co_await piece(sha256, from, most);
    if (next.bytes.empty() || next.bytes.size() > most)
      throw Problem(500, text("artifact ", sha256, ": ends at ", from));
    co_await exchange.write(next.bytes);
    from += next.bytes.size();
    size -= next.bytes.size();
  }
}

awaitable<std::optional<Response>> Artifacts::send(Exchange& exchange, std::string sha256,
                                                   std::string name) {
  if (!places_.has_free(owner_of(exchange.caller))) {
    Problem problem(503, text("over ", kDownloadsMax, " downloads at a time"));
    problem.fields.push_back({"Retry-After", "1"});
    throw problem;
  }
  const auto place = co_await places_.take(owner_of(exchange.caller));
  const auto& request = exchange.request;
  const auto first = co_await piece(sha256, 0, http::kTypeBytes);
  const auto size = first.size;
  const auto etag = text('"', sha256, '"');
  const File file{sha256, std::string(http::type_by_content(first.bytes)), size};
  Response answer;
  answer.fields = {{"ETag", etag},
                   {"Accept-Ranges", "bytes"},
                   {"Cache-Control", "private, max-age=31536000, immutable"}};
  if (const auto match = request.field("if-match");
      !match.empty() && !http::names_etag(match, etag))
    throw Problem(412, text("If-Match: ", match, ": it is ", etag));
  if (http::names_etag(request.field("if-none-match"), etag)) {
    answer.status = 304;
    co_return answer;
  }
  answer.fields.push_back({"X-Content-Type-Options", "nosniff"});
  answer.fields.push_back({"Content-Disposition", http::attachment(name)});

  auto ranges = http::wanted_ranges(request.field("range"), size);
  if (!http::if_range_holds(request.field("if-range"), etag)) ranges.reset();
  if (ranges && ranges->empty()) {
    Problem problem(416,
                    text("Range: ", request.field("range"), ": the artifact has ", size, " bytes"));
    problem.fields.push_back({"Content-Range", http::content_range(std::nullopt, size)});
    throw problem;
  }
  if (ranges) {
    co_await send_ranges(exchange, std::move(answer), file, *ranges);
  } else {
    co_await send_whole(exchange, std::move(answer), file);
  }
  co_return std::nullopt;
}

awaitable<void> Artifacts::send_whole(Exchange& exchange, Response answer, const File& file) {
  answer.fields.push_back({"Content-Type", file.type});
  co_await exchange.begin(answer, file.size);
  if (has_body(exchange)) co_await send_bytes(exchange, file.sha256, 0, file.size);
  co_await exchange.end();
}

awaitable<void> Artifacts::send_ranges(Exchange& exchange, Response answer, const File& file,
                                       const std::vector<http::ByteRange>& ranges) {
  answer.status = 206;
  if (ranges.size() == 1) {
    const auto range = ranges.front();
    answer.fields.push_back({"Content-Type", file.type});
    answer.fields.push_back({"Content-Range", http::content_range(range, file.size)});
    co_await exchange.begin(answer, range.size());
    if (has_body(exchange)) co_await send_bytes(exchange, file.sha256, range.first, range.size());
    co_await exchange.end();
    co_return;
  }
  // No file has its own digest among its bytes: nobody could make one.
  const http::RangeFrames frames{file.sha256, file.type, file.size};
  answer.fields.push_back({"Content-Type", text("multipart/byteranges; boundary=", file.sha256)});
  co_await exchange.begin(answer, frames.length(ranges));
  for (const auto& range : ranges) {
    if (!has_body(exchange)) break;
    const auto head = frames.head(range);
    co_await exchange.write(head);
    co_await send_bytes(exchange, file.sha256, range.first, range.size());
  }
  const auto end = frames.end();
  co_await exchange.write(end);
  co_await exchange.end();
}

void add_artifacts(Routes& routes, Gateway& gateway) {
  auto artifacts = std::make_shared<Artifacts>(gateway.fabric());
  static constexpr std::string_view kPath = "/artifact/{hash}";
  const auto send = [artifacts](Exchange& exchange) {
    const auto& request = exchange.request;
    const auto sha256 = segment(kPath, request, "hash");
    if (!is_sha256(sha256))
      throw Problem(404, text("artifact ", sha256, ": wanted is a SHA-256, 64 lower-case letters"));
    const auto name = http::safe_file_name(request.option("name").value_or(""));
    return artifacts->send(exchange, sha256, name.empty() ? sha256 : name);
  };
  routes.add({"GET", kPath, net::Role::kObserve, Reach::kWithin, send});
  routes.add({"HEAD", kPath, net::Role::kObserve, Reach::kWithin, send});
}

}  // namespace eole::gateway
