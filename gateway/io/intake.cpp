#include "gateway/io/intake.hpp"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>

#include "common/base/text.hpp"
#include "common/process/hash.hpp"
#include "gateway/core/http/file_names.hpp"
#include "gateway/core/refusal.hpp"
#include "gateway/io/tasks.hpp"

namespace eole::gateway {

using http::Problem;
using protocol::Value;

namespace {

constexpr std::size_t kSliceBytes = 256 << 10;

Problem unavailable(const std::string& why) {
  Problem problem(503, why);
  problem.fields.push_back({"Retry-After", "1"});
  return problem;
}

Bytes need(Expected<Bytes> bytes) {
  if (!bytes) throw problem_of(bytes.error());
  return std::move(*bytes);
}

}  // namespace

// A moment, not a post: a turn of the loop runs on for as long as handlers are ready.
awaitable<void> pause_for_others() {
  asio::steady_timer moment(co_await asio::this_coro::executor, std::chrono::milliseconds(1));
  co_await moment.async_wait(asio::use_awaitable);
}

awaitable<std::string> Intake::digest(const UploadFile& file) {
  process::Sha256 hash;
  for (std::uint64_t at = 0; at < file.size(); at += kSliceBytes) {
    hash.add(need(file.read(at, std::min<std::uint64_t>(kSliceBytes, file.size() - at))));
    if ((at + kSliceBytes) % kPauseBytes == 0) co_await pause_for_others();
  }
  co_return hex(hash.digest());
}

awaitable<void> Intake::put(const UploadFile& file, std::string sha256) {
  const auto source = [&file](std::uint64_t offset, std::size_t size) {
    return file.read(offset, size);
  };
  const auto ended = co_await told_later<Expected<void>>([&](auto tell) {
    fabric_.transfers().put(sha256, file.size(), source,
                            [tell](const Expected<void>& outcome) { tell(outcome); });
  });
  if (ended) co_return;
  // Its disk may be full, or it is away: the same upload may do later.
  throw unavailable(ended.error().message);
}

awaitable<Intake::Taken> Intake::take(Ring ring, const UploadFile& file, UploadWish wish,
                                      std::string key) {
  check_type(wish, need(file.read(0, std::min<std::uint64_t>(http::kTypeBytes, file.size()))));
  std::string sha256;
  Batch batch;
  {
    const auto place = co_await puts_.take();
    sha256 = co_await digest(file);
    batch = task_of(wish, sha256);  // Refused before anything is sent.
    co_await put(file, sha256);
  }
  const auto ended = co_await ring.submit(std::move(batch.groups), batch.count, std::move(key));
  if (ended.error) throw problem_of(*ended.error);
  co_return Taken{std::move(wish), {ended.origin, ended.first}, sha256, file.size()};
}

Value told(const Intake::Taken& taken) {
  const auto name = told_name(taken.wish, taken.id);
  const auto id = to_text(taken.id);
  const auto encoded = http::percent_encode(name);
  return Value::Map{{"file_name", name},
                    {"task_id", id},
                    {"status", "processing"},
                    {"kind", taken.wish.kind},
                    {"sha256", taken.sha256},
                    {"bytes", taken.bytes},
                    {"status_url", text("/status?file_name=", encoded)},
                    {"download_url", text("/download?file_name=", encoded)},
                    {"task_url", text("/task/", id)}};
}

}  // namespace eole::gateway
