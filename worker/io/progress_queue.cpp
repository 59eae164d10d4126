#include "worker/io/progress_queue.hpp"

#include <utility>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"

namespace eole::worker {

void ProgressQueue::add(protocol::Progress progress) {
  const auto bytes = progress.payload.size();
  auto* last = entries_.empty() ? nullptr : &entries_.back();
  if (last != nullptr && bytes > 0 && stream_of(*last) == stream_of(progress) &&
      last->payload.size() + bytes <= kPieceBytes) {
    last->payload += progress.payload;
  } else {
    entries_.push_back(std::move(progress));
  }
  bytes_ += bytes;
  drop_oldest();
}

void ProgressQueue::give_back(std::deque<protocol::Progress> entries) {
  for (; !entries.empty(); entries.pop_back()) {
    bytes_ += entries.back().payload.size();
    entries_.push_front(std::move(entries.back()));
  }
  drop_oldest();
}

void ProgressQueue::drop_oldest() {
  while ((bytes_ > kProgressBytesMax || entries_.size() > kProgressPiecesMax) &&
         !planted("live-output-kept")) {
    const auto& oldest = entries_.front();
    bytes_ -= oldest.payload.size();
    if (!oldest.payload.empty()) dropped_[stream_of(oldest)] += oldest.payload.size();
    entries_.pop_front();
  }
}

std::deque<protocol::Progress> ProgressQueue::take() {
  for (auto& entry : entries_) {
    const auto dropped = dropped_.find(stream_of(entry));
    if (dropped == dropped_.end()) continue;
    entry.payload.insert(0, text("\n[... ", dropped->second, " bytes not shown ...]\n"));
    dropped_.erase(dropped);
  }
  bytes_ = 0;
  return std::exchange(entries_, {});
}

void ProgressQueue::forget_ended(const std::function<bool(const TaskId&)>& is_running) {
  std::erase_if(dropped_, [&](const auto& dropped) { return !is_running(dropped.first.first); });
}

}  // namespace eole::worker
