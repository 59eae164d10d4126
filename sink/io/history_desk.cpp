#include "sink/io/history_desk.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "common/base/planted.hpp"
#include "common/net/bounds.hpp"
#include "common/process/system.hpp"

namespace eole::sink {

HistoryDesk::HistoryDesk(Duration page_time)
    : page_time_(page_time), fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
HistoryDesk::~HistoryDesk() { ::close(fd_); }

// ---- The node's side.

void HistoryDesk::tell(LogNews&& news) {
  const std::lock_guard lock(mutex_);
  has_pages_ = has_pages_ || news.end.segment != news_.end.segment;
  news_.add(std::move(news));
  if (has_pages_) work_.notify_one();
}

bool HistoryDesk::ask(Question&& question) {
  const std::lock_guard lock(mutex_);
  const auto bytes = question.bytes();
  const auto known = waiting_.find(question.peer);
  const auto own = known == waiting_.end() ? 0 : known->second.bytes;
  const bool has_room =
      net::has_share(bytes, own, kAskedOfOneBytesMax, asked_bytes_ - own, kAskedBytesMax);
  if (!has_room && !planted("questions-without-limit")) return false;
  auto& waiting = known == waiting_.end() ? waiting_[question.peer] : known->second;
  const bool is_repeated =
      std::any_of(waiting.questions.begin(), waiting.questions.end(),
                  [&](const Question& other) { return other.is_same(question); });
  if (is_repeated) return true;
  waiting.questions.push_back(std::move(question));
  waiting.bytes += bytes;
  asked_bytes_ += bytes;
  work_.notify_one();
  return true;
}

void HistoryDesk::keep(LineBatch&& batch) {
  const std::lock_guard lock(mutex_);
  const auto bytes = sizeof(LineBatch) + batch.peer.size() + batch.said.role.size() +
                     batch.said.name.size() + batch.said.payload.size();
  if (lines_bytes_ + bytes > kLinesWaitingBytesMax && !planted("lines-wait-without-a-bound")) {
    lines_left_out_ += batch.count + batch.said.dropped;
    return;
  }
  batch.said.dropped += std::exchange(lines_left_out_, 0);
  lines_bytes_ += bytes;
  lines_.push_back(std::move(batch));
  work_.notify_one();
}

void HistoryDesk::release(std::uint32_t segment) {
  const std::lock_guard lock(mutex_);
  if (segment <= asked_to_release_) return;
  to_release_ = asked_to_release_ = segment;
  work_.notify_one();
}

HistoryDesk::Taken HistoryDesk::take() {
  if (std::exchange(is_due_, false)) {
    eventfd_t ignored = 0;
    ::eventfd_read(fd_, &ignored);
  }
  const std::lock_guard lock(mutex_);
  if (answered_bytes_ >= kAnsweredBytesMax) work_.notify_one();
  answered_bytes_ = 0;
  return std::exchange(done_, {});
}

bool HistoryDesk::is_idle() const {
  const std::lock_guard lock(mutex_);
  const bool is_taken = done_.answers.empty() && !done_.released;
  return waiting_.empty() && !is_answering_ && to_release_ == 0 && is_taken;
}

// ---- The history's side.

bool HistoryDesk::has_work() const {
  const bool has_room = answered_bytes_ < kAnsweredBytesMax;
  return has_pages_ || to_release_ != 0 || !lines_.empty() || (has_room && !waiting_.empty());
}

bool HistoryDesk::wait(std::optional<TimePoint> until) {
  std::unique_lock lock(mutex_);
  const auto is_wanted = [this] { return is_over_ || has_work(); };
  if (until)
    work_.wait_for(lock, *until - process::now(), is_wanted);
  else
    work_.wait(lock, is_wanted);
  return !is_over_;
}

void HistoryDesk::stop() {
  const std::lock_guard lock(mutex_);
  is_over_ = true;
  work_.notify_one();
}

// Of who comes next behind whom it was answered last.
std::optional<Question> HistoryDesk::next_question() {
  if (waiting_.empty() || answered_bytes_ >= kAnsweredBytesMax) return std::nullopt;
  auto turn = waiting_.upper_bound(served_);
  if (turn == waiting_.end()) turn = waiting_.begin();
  served_ = turn->first;
  auto& [questions, bytes] = turn->second;
  auto question = std::move(questions.front());
  questions.pop_front();
  bytes -= question.bytes();
  asked_bytes_ -= question.bytes();
  if (questions.empty()) waiting_.erase(turn);
  return question;
}

// The news first: a question is about what was durable when it was asked, or more.
bool HistoryDesk::serve(History& history, HistoryIndex* index, LineStore* lines) {
  std::unique_lock lock(mutex_);
  has_pages_ = false;
  LogNews news = std::exchange(news_, LogNews{news_.log, news_.head, news_.end, 0, {}, {}, {}});
  const auto to_release = std::exchange(to_release_, 0);
  auto question = next_question();
  is_answering_ = question.has_value();
  const auto logged = std::exchange(lines_, {});
  lines_bytes_ = 0;
  lock.unlock();

  history.take(std::move(news));
  std::optional<Released> released;
  if (to_release != 0) released = Released{to_release, history.release(to_release)};
  if (lines != nullptr)
    for (const auto& batch : logged) lines->add(batch, process::unix_ms());
  std::optional<Answer> answer;
  if (question) answer = answer_to(*question, history, page_time_, index, lines);
  if (const auto due = index == nullptr ? std::nullopt : index->due(history);
      due && process::now() >= *due)
    index->work(history);

  lock.lock();
  is_answering_ = false;
  if (released) done_.released = std::move(released);
  if (answer) {
    answered_bytes_ += answer->message.head.size() + answer->message.payload.size();
    done_.answers.push_back(std::move(*answer));
  }
  if (!question && to_release == 0) return false;
  ::eventfd_write(fd_, 1);
  return true;
}

}  // namespace eole::sink
