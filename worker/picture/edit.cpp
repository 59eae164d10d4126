#include "worker/picture/edit.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "worker/picture/convolve.hpp"

namespace eole::picture {

namespace {

std::uint8_t part(unsigned value, unsigned of_255) {
  return static_cast<std::uint8_t>((value * of_255 + 127) / 255);
}

// Calls `change` with each place's samples of two planes.
template <typename Change>
void for_both(Plane& one, const Plane& other, const Change& change) {
  for (int y = 0; y < one.size().height; ++y) {
    auto* to = one.row(y);
    const auto* from = other.row(y);
    for (int x = 0; x < one.size().width; ++x) to[x] = change(to[x], from[x]);
  }
}

Picture copy(const Picture& picture) {
  Picture made{picture.size, {}, picture.is_ycc};
  for (const auto& plane : picture.planes) made.planes.push_back(plane.copy());
  return made;
}

bool is_whole(double number) { return std::abs(number - std::round(number)) < 1e-9; }

Plane resized(const Plane& plane, const Placement& placement, double across, double down) {
  const double x = placement.x * plane.across();
  const double y = placement.y * plane.down();
  const double width = placement.width * plane.across();
  const double height = placement.height * plane.down();
  const double to_width = placement.to.width * across;
  const double to_height = placement.to.height * down;
  Plane made;
  if (width == to_width && height == to_height && is_whole(x) && is_whole(y)) {
    made = Plane({static_cast<int>(std::ceil(to_width)), static_cast<int>(std::ceil(to_height))});
    for (int row = 0; row < made.size().height; ++row)
      std::memcpy(made.row(row), plane.row(row + static_cast<int>(y)) + static_cast<int>(x),
                  static_cast<std::size_t>(made.size().width));
  } else {
    made = convolved(plane, lanczos(plane.size().width, x, width, to_width),
                     lanczos(plane.size().height, y, height, to_height));
  }
  made.set_scale(across, down);
  return made;
}

void weigh_by_alpha(Picture& picture) {
  for (std::size_t c = 0; c < 3; ++c) for_both(picture.planes[c], picture.planes[3], part);
}

void unweigh(Picture& picture) {
  for (std::size_t c = 0; c < 3; ++c)
    for_both(picture.planes[c], picture.planes[3], [](unsigned value, unsigned alpha) {
      const unsigned whole = alpha == 0 ? 0 : (value * 255 + alpha / 2) / alpha;
      return static_cast<std::uint8_t>(std::min(255U, whole));
    });
}

// Each plane through what makes one of one.
template <typename Change>
Picture changed(Picture picture, const Change& change) {
  if (picture.has_alpha()) weigh_by_alpha(picture);
  for (auto& plane : picture.planes) plane = change(plane);
  if (picture.has_alpha()) unweigh(picture);
  return picture;
}

Plane blurred(const Plane& plane, double sigma) {
  return convolved(plane, gaussian(plane.size().width, sigma),
                   gaussian(plane.size().height, sigma));
}

Picture in_colour(Picture picture) {
  while (picture.planes.size() < 3) picture.planes.push_back(picture.planes[0].copy());
  return picture;
}

std::uint8_t channel(const Colour& colour, std::size_t index) {
  return index == 0 ? colour.red : index == 1 ? colour.green : colour.blue;
}

}  // namespace

Picture resized(const Picture& picture, const Placement& placement, Chroma chroma) {
  Picture made{placement.to, {}, picture.is_ycc};
  const bool is_same = placement.to == picture.size;
  const bool is_weighed = picture.has_alpha() && !is_same;
  Picture weighed;
  if (is_weighed) {
    weighed = copy(picture);
    weigh_by_alpha(weighed);
  }
  for (std::size_t c = 0; c < picture.planes.size(); ++c) {
    const bool is_chroma = picture.is_ycc && c > 0;
    made.planes.push_back(resized((is_weighed ? weighed : picture).planes[c], placement,
                                  is_chroma ? 1.0 / chroma.across : 1,
                                  is_chroma ? 1.0 / chroma.down : 1));
  }
  if (is_weighed) unweigh(made);
  return made;
}

Picture on_canvas(Picture picture, Size canvas, const std::optional<Colour>& background) {
  if (canvas == picture.size) return picture;
  if (!background || picture.planes.size() > 1 || background->red != background->green ||
      background->red != background->blue)
    picture = in_colour(std::move(picture));
  if (!background && !picture.has_alpha()) {
    picture.planes.emplace_back(picture.size);
    picture.planes[3].fill(255);
  }
  auto made = Picture::of(canvas, static_cast<int>(picture.planes.size()));
  const int left = (canvas.width - picture.size.width) / 2;
  const int top = (canvas.height - picture.size.height) / 2;
  for (std::size_t c = 0; c < made.planes.size(); ++c) {
    made.planes[c].fill(!background ? 0 : c == 3 ? 255 : channel(*background, c));
    for (int y = 0; y < picture.size.height; ++y)
      std::memcpy(made.planes[c].row(top + y) + left, picture.planes[c].row(y),
                  static_cast<std::size_t>(picture.size.width));
  }
  return made;
}

Picture grey(Picture picture) {
  if (picture.is_ycc || picture.planes.size() == 1) {
    picture.planes.resize(1);
    picture.is_ycc = false;
    return picture;
  }
  auto& red = picture.planes[0];
  auto& green = picture.planes[1];
  auto& blue = picture.planes[2];
  for (int y = 0; y < red.size().height; ++y)
    for (int x = 0; x < red.size().width; ++x) {
      const unsigned luma =
          (red.row(y)[x] * 19595U + green.row(y)[x] * 38470U + blue.row(y)[x] * 7471U + 0x8000U) >>
          16;
      red.row(y)[x] = static_cast<std::uint8_t>(luma);
    }
  if (picture.has_alpha()) {
    green = red.copy();
    blue = red.copy();
  } else {
    picture.planes.resize(1);
  }
  return picture;
}

Picture blurred(Picture picture, double sigma) {
  return changed(std::move(picture), [&](const Plane& plane) { return blurred(plane, sigma); });
}

Picture sharpened(Picture picture, double amount) {
  const auto by = static_cast<int>(std::lround(amount * 256));
  return changed(std::move(picture), [&](const Plane& plane) {
    auto sharp = plane.copy();
    for_both(sharp, blurred(plane, 1), [&](int value, int soft) {
      return static_cast<std::uint8_t>(std::clamp(value + (value - soft) * by / 256, 0, 255));
    });
    return sharp;
  });
}

Picture watermarked(Picture picture, const Picture& mark) {
  constexpr int kPartOfASide = 4;
  constexpr int kMarginPart = 50;  // Of the shorter side.
  const Size box{std::max(1, picture.size.width / kPartOfASide),
                 std::max(1, picture.size.height / kPartOfASide)};
  const auto small = in_colour(resized(mark, place(mark.size, box, Resize::kFit), {1, 1}));
  picture = in_colour(std::move(picture));
  const int margin = std::min(picture.size.width, picture.size.height) / kMarginPart;
  const int left = picture.size.width - margin - small.size.width;
  const int top = picture.size.height - margin - small.size.height;
  for (int y = 0; y < small.size.height; ++y)
    for (int x = 0; x < small.size.width; ++x) {
      const unsigned alpha = small.has_alpha() ? small.planes[3].row(y)[x] : 255U;
      std::uint8_t* below =
          picture.has_alpha() ? &picture.planes[3].row(top + y)[left + x] : nullptr;
      const unsigned under = part(below != nullptr ? *below : 255U, 255 - alpha);
      const unsigned sum = alpha + under;
      for (std::size_t c = 0; c < 3 && sum > 0; ++c) {
        auto& sample = picture.planes[c].row(top + y)[left + x];
        sample = static_cast<std::uint8_t>(
            (small.planes[c].row(y)[x] * alpha + sample * under + sum / 2) / sum);
      }
      if (below != nullptr) *below = static_cast<std::uint8_t>(sum);
    }
  return picture;
}

}  // namespace eole::picture
