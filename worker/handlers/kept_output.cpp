#include "worker/handlers/kept_output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/base/text.hpp"
#include "common/base/utf8.hpp"

namespace eole::worker {

KeptOutput::~KeptOutput() {
  if (file_ >= 0) ::close(file_);
}

void KeptOutput::add(std::string_view bytes) {
  const bool was_short = size_ <= inline_max();
  size_ += bytes.size();
  const auto half = inline_max() / 2;
  if (was_short) {
    head_ += bytes;
    if (size_ <= inline_max()) return;
    write(head_);
    tail_ = head_.substr(half);
    head_.resize(half);
  } else {
    write(bytes);
    tail_ += bytes;
  }
  if (tail_.size() > 2 * half) tail_.erase(0, tail_.size() - half);
}

void KeptOutput::write(std::string_view bytes) {
  if (most_ <= kInlineMax || !problem_.empty()) return;
  if (file_ < 0 && path_.empty()) path_ = context_.scratch_path(suffix_);
  if (file_ < 0) file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file_ < 0) return void(problem_ = std::strerror(errno));
  bytes = bytes.substr(0, most_ - written_);
  while (!bytes.empty()) {
    const auto count = ::write(file_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      problem_ = std::strerror(errno);
      return;
    }
    written_ += static_cast<std::uint64_t>(count);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void KeptOutput::tell(const std::string& name, Value& value) const {
  std::string_view head = head_;
  std::string_view tail = tail_;
  const auto told = [](std::string whole, bool is_text) -> Value {
    if (is_text) return whole;
    return protocol::Blob{std::move(whole)};
  };
  if (size_ <= inline_max()) return value.set(name, told(head_, is_utf8(head)));
  tail.remove_prefix(tail.size() - std::min(tail.size(), inline_max() / 2));
  const auto cut_head = head.substr(0, head.size() - unfinished_at_end(head));
  const auto cut_tail = tail.substr(unbegun_at_begin(tail));
  const bool is_text = is_utf8(cut_head) && is_utf8(cut_tail);
  if (is_text) {
    head = cut_head;
    tail = cut_tail;
  }
  const auto left_out = size_ - head.size() - tail.size();
  value.set(name, told(text(head, "\n[... ", left_out, " bytes left out ...]\n", tail), is_text));
  value.set(name + "_bytes", size_);
}

std::optional<FileResult> KeptOutput::take_file(std::string name) {
  if (file_ < 0 || !problem_.empty()) return std::nullopt;
  ::close(std::exchange(file_, -1));
  return FileResult{path_, std::move(name)};
}

}  // namespace eole::worker
