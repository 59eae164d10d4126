#include "worker/runners/process/command_frames.hpp"

#include "common/base/bytes.hpp"

namespace eole::worker {

namespace {
constexpr std::size_t kHeadBytes = 5;
constexpr std::uint32_t kFrameBytesMax = 16 << 20;
}  // namespace

std::string encode_frame(FrameType type, std::string_view payload) {
  Bytes frame;
  frame.reserve(kHeadBytes + payload.size());
  put<std::uint8_t>(frame, type);
  put<std::uint32_t>(frame, static_cast<std::uint32_t>(payload.size()));
  return frame += payload;
}

std::optional<Frame> FrameReader::next() {
  if (bytes_.size() < kHeadBytes) return std::nullopt;
  const auto size = read_at<std::uint32_t>(bytes_, 1);
  if (size > kFrameBytesMax) return bytes_.clear(), Frame{kBroken, {}};
  if (bytes_.size() < kHeadBytes + size) return std::nullopt;
  Frame frame{static_cast<FrameType>(bytes_[0]), bytes_.substr(kHeadBytes, size)};
  bytes_.erase(0, kHeadBytes + size);
  return frame;
}

}  // namespace eole::worker
