#include "worker/picture/picture.hpp"

#include <algorithm>
#include <cstring>

#include "common/base/text.hpp"
#include "worker/picture/limits.hpp"
#include "worker/picture/report.hpp"

namespace eole::picture {

namespace {

constexpr std::size_t kVector = 32;  // Samples that a vector has at most.

Plane upright(const Plane& plane, int orientation) {
  const auto [width, height] = plane.size();
  const bool is_turned = orientation >= 5;
  Plane shown(is_turned ? Size{height, width} : plane.size(),
              is_turned ? plane.down() : plane.across(), is_turned ? plane.across() : plane.down());
  // Where the stored row begins and the stored column goes on, by what EXIF's number says of them.
  const bool is_right_first =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool is_bottom_first =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const auto last_row = height - 1;
  const auto from_row = [&](int y) { return is_bottom_first ? last_row - y : y; };
  if (!is_turned) {
    for (int y = 0; y < height; ++y) {
      const auto* from = plane.row(from_row(y));
      auto* to = shown.row(y);
      if (!is_right_first)
        std::memcpy(to, from, static_cast<std::size_t>(width));
      else
        for (int x = 0; x < width; ++x) to[x] = from[width - 1 - x];
    }
    return shown;
  }
  constexpr int kBlock = 32;  // Rows and columns that stay in the cache.
  for (int top = 0; top < width; top += kBlock)
    for (int left = 0; left < height; left += kBlock)
      for (int y = top; y < std::min(top + kBlock, width); ++y) {
        auto* to = shown.row(y);
        const int column = is_right_first ? width - 1 - y : y;
        for (int x = left; x < std::min(left + kBlock, height); ++x)
          to[x] = plane.row(from_row(x))[column];
      }
  return shown;
}

std::size_t round_up(int width) {
  return (static_cast<std::size_t>(width) + kVector - 1) / kVector * kVector;
}

}  // namespace

Plane::Plane(Size size, double across, double down) : Plane(size, size, across, down) {}

Plane::Plane(Size size, Size room, double across, double down)
    : size_(size),
      stride_(round_up(room.width)),
      across_(across),
      down_(down),
      samples_(std::make_unique_for_overwrite<std::uint8_t[]>(
          stride_ * static_cast<std::size_t>(room.height) + kVector)) {
  std::memset(row(room.height), 0, kVector);
}

void Plane::fill(std::uint8_t value) {
  std::memset(samples_.get(), value, stride_ * static_cast<std::size_t>(size_.height));
}

Plane Plane::copy() const {
  Plane made(size_, across_, down_);
  for (int y = 0; y < size_.height; ++y)
    std::memcpy(made.row(y), row(y), static_cast<std::size_t>(size_.width));
  return made;
}

Picture Picture::of(Size size, int planes) {
  Picture picture{size, {}, false};
  for (int i = 0; i < planes; ++i) picture.planes.emplace_back(size);
  return picture;
}

void Picture::interleave(int y, std::uint8_t* samples) const {
  const auto width = static_cast<std::size_t>(planes[0].size().width);
  if (planes.size() == 1) {
    std::memcpy(samples, planes[0].row(y), width);
  } else if (planes.size() == 3) {
    const auto* red = planes[0].row(y);
    const auto* green = planes[1].row(y);
    const auto* blue = planes[2].row(y);
    for (std::size_t x = 0; x < width; ++x) {
      samples[x * 3] = red[x];
      samples[x * 3 + 1] = green[x];
      samples[x * 3 + 2] = blue[x];
    }
  } else {
    for (std::size_t c = 0; c < planes.size(); ++c)
      for (std::size_t x = 0; x < width; ++x) samples[x * planes.size() + c] = planes[c].row(y)[x];
  }
}

void Picture::set_row(int y, const std::uint8_t* samples) {
  const auto width = static_cast<std::size_t>(planes[0].size().width);
  if (planes.size() == 1) {
    std::memcpy(planes[0].row(y), samples, width);
  } else if (planes.size() == 3) {
    auto* red = planes[0].row(y);
    auto* green = planes[1].row(y);
    auto* blue = planes[2].row(y);
    for (std::size_t x = 0; x < width; ++x) {
      red[x] = samples[x * 3];
      green[x] = samples[x * 3 + 1];
      blue[x] = samples[x * 3 + 2];
    }
  } else {
    for (std::size_t c = 0; c < planes.size(); ++c) {
      auto* to = planes[c].row(y);
      for (std::size_t x = 0; x < width; ++x) to[x] = samples[x * planes.size() + c];
    }
  }
}

void check_size(std::uint64_t width, std::uint64_t height) {
  if (width == 0 || height == 0) fail(text(width, " x ", height, " pixels: it is empty"));
  if (width > kSideMax || height > kSideMax || width * height > kPixelsMax)
    fail(text(width, " x ", height, " pixels, limit ", kPixelsMax, " and ", kSideMax, " a side"));
}

Picture upright(Picture picture, int orientation) {
  if (orientation == 1) return picture;
  for (auto& plane : picture.planes) plane = upright(plane, orientation);
  if (orientation >= 5) picture.size = {picture.size.height, picture.size.width};
  return picture;
}

}  // namespace eole::picture
