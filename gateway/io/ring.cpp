#include "gateway/io/ring.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>

#include "common/base/text.hpp"

namespace eole::gateway {

using protocol::Value;

namespace {

constexpr std::uint32_t kPageBytes = 256 << 10;       // Of the log.
constexpr Duration kPagePatience = 2s;                // For it; whoever wants it asks again.
constexpr Duration kGlanceEvery = 1s;                 // Whether who waits is still there.
constexpr std::size_t kGatheredBytesMax = 256 << 20;  // Of tasks that wait for the ventilator.

protocol::Query query_of(std::string what, const TaskId& id, const Value& options,
                         const Within& within) {
  return {0,
          std::move(what),
          id.origin,
          id.seq,
          options.is_null() ? Bytes{} : options.to_msgpack(),
          within.prefix()};
}

}  // namespace

awaitable<Ring::Answer> Ring::ventilator(std::string what, TaskId id, Value options,
                                         Duration patience) {
  auto query = query_of(std::move(what), id, options, within_);
  co_return co_await fabric_->ask_ventilator(std::move(query), patience);
}

awaitable<Ring::Answer> Ring::sink(std::string what, TaskId id, Value options, Duration patience) {
  auto query = query_of(std::move(what), id, options, within_);
  co_return co_await fabric_->ask_sink(std::move(query), patience);
}

awaitable<std::shared_ptr<const kinds::OfferedKinds>> Ring::offered(Duration patience) {
  const auto now = fabric_->world_.now();
  if (now < fabric_->offered_asked_ + kOfferedFor) co_return fabric_->offered_;
  // Meanwhile the others go on with what was told before; who has nothing waits for it, too.
  if (fabric_->offered_) fabric_->offered_asked_ = now;
  const auto told = co_await ventilator("kinds", {}, {}, patience);
  if (told) {
    fabric_->offered_asked_ = now;
    kinds::OfferedKinds offered(*told);
    // Each worker offers some: none is connected, or the ventilator has just started.
    fabric_->offered_ = offered.names().empty()
                            ? nullptr
                            : std::make_shared<const kinds::OfferedKinds>(std::move(offered));
  }
  co_return fabric_->offered_;
}

awaitable<Ring::Answer> Ring::read_log(std::uint64_t offset, std::string pattern) {
  protocol::Read read{0, 0, offset, 0, kPageBytes, within_.prefix(), std::move(pattern)};
  co_return co_await fabric_->ask_sink(std::move(read), kPagePatience);
}

awaitable<Ring::Answer> Ring::control(std::string what, Value options) {
  protocol::Control control{0, std::move(what), options.to_msgpack(), within_.prefix()};
  co_return co_await fabric_->ask_ventilator(std::move(control), kPatience);
}

awaitable<Ring::Answer> Ring::control_sink(std::string what, Value options) {
  protocol::Control control{0, std::move(what), options.to_msgpack(), within_.prefix()};
  co_return co_await fabric_->ask_sink(std::move(control), kPatience);
}

std::uint64_t Ring::random() const { return fabric_->world().random(); }

awaitable<Ring::Answer> Ring::cancel(Origin origin, SeqRanges seqs) {
  protocol::Cancel cancel{0, origin, seqs.encode(), within_.prefix()};
  co_return co_await fabric_->ask_ventilator(std::move(cancel), kPatience);
}

awaitable<Ring::Answer> Ring::discard(Origin origin, SeqRanges seqs) {
  protocol::Discard discard{0, origin, seqs.encode(), within_.prefix()};
  co_return co_await fabric_->ask_sink(std::move(discard), kPatience);
}

awaitable<client::SubmitEnded> Ring::submit(Bytes groups, std::uint32_t count, std::string key) {
  auto ended = co_await told_later<client::SubmitEnded>(
      [&](auto tell) { submit(std::move(groups), count, std::move(key), std::move(tell)); });
  co_return ended;
}

void Ring::submit(Bytes groups, std::uint32_t count, std::string key, Fabric::OnSubmitted tell) {
  auto& bytes = fabric_->gathered_bytes_;
  if (bytes + groups.size() > kGatheredBytesMax) {
    client::SubmitEnded ended;
    ended.error = Error{text(bytes, " bytes of tasks wait for the ventilator: the limit"), ErrorCode::kFull};
    return tell(ended);
  }
  bytes += groups.size();
  fabric_->gathered_.push_back({std::move(groups), count, std::move(key), within_.prefix(),
                                std::move(tell), fabric_->world_.now()});
}

awaitable<Ring::Answer> Ring::ended(TaskId id, Duration most, Fabric::IsGone is_gone) {
  const auto executor = co_await asio::this_coro::executor;
  const auto until = fabric_->world_.now() + most;
  asio::steady_timer timer(executor);
  Fabric::Ending ending{within_, {}, [&] { timer.cancel(); }, true};
  const auto place = fabric_->endings_.emplace(id, &ending);
  // However this ends: it lies in this frame.
  const std::shared_ptr<void> taken_out(
      nullptr, [place, fabric = fabric_](void*) { fabric->endings_.erase(place); });
  while (ending.view.is_null() && !fabric_->is_stopping_ && !is_gone()) {
    if (std::exchange(ending.is_to_ask, false)) {
      const auto known = co_await sink("result", id);
      const bool is_over = known && (*known)["state"].text_or("retrying") != "retrying";
      if (is_over) ending.view = *known;
      continue;
    }
    const auto left = until - fabric_->world_.now();
    if (left <= Duration{}) break;
    timer.expires_after(std::min<Duration>(left, kGlanceEvery));
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return ending.view;
}

}  // namespace eole::gateway
