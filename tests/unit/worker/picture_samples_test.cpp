#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <random>

#include "worker/picture/convolve.hpp"
#include "worker/picture/edit.hpp"
#include "worker/picture/placement.hpp"
#include "worker/picture/quality.hpp"

using namespace eole::picture;

namespace {

Plane noise(Size size, unsigned seed) {
  std::mt19937 random(seed);
  Plane plane(size);
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x) plane.row(y)[x] = static_cast<std::uint8_t>(random());
  return plane;
}

bool are_equal(const Plane& one, const Plane& other) {
  if (one.size() != other.size()) return false;
  for (int y = 0; y < one.size().height; ++y)
    if (std::memcmp(one.row(y), other.row(y), static_cast<std::size_t>(one.size().width)) != 0)
      return false;
  return true;
}

Taps taps_to(int from, int to) { return lanczos(from, 0, from, to); }

// By the formula, in real numbers: one sample of a row.
double lanczos_sample(const std::uint8_t* row, int source, int to, int index) {
  const double scale = static_cast<double>(source) / to;
  const double wide = std::max(1.0, scale);
  const double middle = (index + 0.5) * scale;
  double sum = 0;
  double weights = 0;
  for (int i = 0; i < source; ++i) {
    const double x = (i + 0.5 - middle) / wide;
    if (std::abs(x) >= 3) continue;
    const double t = x * M_PI;
    const double weight = x == 0 ? 1 : 3 * std::sin(t) * std::sin(t / 3) / (t * t);
    sum += weight * row[i];
    weights += weight;
  }
  return std::min(255.0, std::max(0.0, sum / weights));
}

Picture picture_of(Size size, int planes, unsigned seed = 1) {
  Picture picture{size, {}, false};
  for (int c = 0; c < planes; ++c)
    picture.planes.push_back(noise(size, seed + static_cast<unsigned>(c)));
  return picture;
}

}  // namespace

TEST_CASE("vectors and plain code make the same samples", "[picture]") {
  for (const Size from : {Size{1, 1}, Size{3, 200}, Size{17, 31}, Size{64, 64}, Size{301, 97}})
    for (const Size to : {Size{1, 1}, Size{2, 5}, Size{16, 17}, Size{33, 63}, Size{100, 90}}) {
      INFO(from.width << " x " << from.height << " to " << to.width << " x " << to.height);
      const auto plane = noise(from, 7);
      const auto across = taps_to(from.width, to.width);
      const auto down = taps_to(from.height, to.height);
      CHECK(are_equal(convolved(plane, across, down), convolved(plane, across, down, false)));
    }
}

TEST_CASE("Lanczos is Lanczos", "[picture]") {
  for (const auto& [from, to] : {std::pair{300, 100}, {301, 144}, {50, 49}, {4000, 7}, {64, 200}}) {
    const auto plane = noise({from, 1}, 3);
    const auto made = convolved(plane, taps_to(from, to), taps_to(1, 1));
    for (int x = 0; x < to; ++x) {
      INFO(from << " to " << to << " at " << x);
      CHECK(std::abs(made.row(0)[x] - lanczos_sample(plane.row(0), from, to, x)) <= 0.6);
    }
  }
}

TEST_CASE("the weights of each sample are one whole, and all of them are there", "[picture]") {
  for (const auto& taps : {taps_to(4000, 1920), taps_to(16384, 1), taps_to(5, 3), taps_to(3, 9),
                           lanczos(100, 20.5, 50, 25.5), gaussian(40, 2.5), gaussian(3, 50)}) {
    for (int i = 0; i < taps.targets(); ++i) {
      int sum = 0;
      for (int k = 0; k < taps.padded; ++k)
        sum += taps.weights[static_cast<std::size_t>(i * taps.padded + k)];
      CHECK(sum == 1 << taps.shift);
      CHECK(taps.first[static_cast<std::size_t>(i)] >= 0);
    }
  }
  Plane even({500, 300});
  even.fill(200);
  const auto made = convolved(even, taps_to(500, 77), taps_to(300, 500));
  for (int y = 0; y < made.size().height; ++y)
    for (int x = 0; x < made.size().width; ++x) REQUIRE(made.row(y)[x] == 200);
}

TEST_CASE("a picture is placed in its box, and never grows", "[picture]") {
  const auto check = [](const Placement& got, Size to, Size canvas) {
    CHECK(got.to == to);
    CHECK(got.canvas == canvas);
  };
  check(place({4000, 3000}, {1920, 0}, Resize::kFit), {1920, 1440}, {1920, 1440});
  check(place({4000, 3000}, {100, 10}, Resize::kFit), {13, 10}, {13, 10});
  check(place({40, 30}, {100, 100}, Resize::kFit), {40, 30}, {40, 30});
  check(place({16384, 1}, {1, 0}, Resize::kFit), {1, 1}, {1, 1});
  check(place({400, 200}, {100, 100}, Resize::kFill), {100, 50}, {100, 100});
  check(place({40, 20}, {100, 100}, Resize::kFill), {40, 20}, {100, 100});
  check(place({400, 200}, {100, 100}, Resize::kCrop), {100, 100}, {100, 100});
  check(place({400, 50}, {100, 100}, Resize::kCrop), {100, 50}, {100, 50});
}

TEST_CASE("what is cropped is the middle", "[picture]") {
  const auto wide = place({400, 200}, {100, 100}, Resize::kCrop);
  CHECK(wide.x == 100);
  CHECK(wide.width == 200);
  CHECK(wide.y == 0);
  CHECK(wide.height == 200);
  const auto uneven = place({41, 20}, {20, 20}, Resize::kCrop);
  CHECK(uneven.x == 10);  // Between samples it would be blurred.
  CHECK(uneven.width == 20);
}

TEST_CASE("a JPEG is made smaller while decoded as long as two samples are left", "[picture]") {
  const auto by = [](Size from, int width) {
    return reduction({place(from, {width, 0}, Resize::kFit)});
  };
  CHECK(by({4000, 3000}, 1920) == 1);
  CHECK(by({4000, 3000}, 1000) == 2);
  CHECK(by({4000, 3000}, 1001) == 1);
  CHECK(by({4000, 3000}, 500) == 4);
  CHECK(by({4000, 3000}, 100) == 8);
  CHECK(by({4000, 3000}, 1) == 8);
  Job job;
  job.sizes = {100, 1920};
  CHECK(reduction(placements(job, {4000, 3000}, 1)) == 1);
}

TEST_CASE("the box and the rotation are of the picture as it is shown", "[picture]") {
  Job job;
  job.box = {100, 0};
  CHECK(placements(job, {400, 200}, 6)[0].to == Size{200, 100});
  CHECK(placements(job, {400, 200}, 3)[0].to == Size{100, 50});
  job.rotation = 8;
  CHECK(placements(job, {400, 200}, 6)[0].to == Size{100, 50});
}

TEST_CASE("the best quality that fits is found in few steps", "[picture]") {
  for (const int most : {1, 2, 85, 100})
    for (int limit = 0; limit <= 101; ++limit) {
      int steps = 0;
      int last = 0;
      const auto found = best_quality(most, [&](int quality) {
        ++steps;
        if (quality <= limit) last = quality;
        return quality <= limit;
      });
      CHECK(found == (limit == 0 ? std::nullopt : std::optional(std::min(most, limit))));
      if (found) CHECK(last == *found);
      CHECK(steps <= 8);
    }
}

TEST_CASE("what is transparent gives its colour to no neighbour", "[picture]") {
  auto picture = picture_of({64, 64}, 4);
  for (int y = 0; y < 64; ++y)
    for (int x = 0; x < 64; ++x) {
      const bool is_seen = x < 32;
      picture.planes[3].row(y)[x] = is_seen ? 255 : 0;
      for (std::size_t c = 0; c < 3; ++c) picture.planes[c].row(y)[x] = is_seen ? 100 : 255;
    }
  for (const auto& made : {resized(picture, place({64, 64}, {10, 0}, Resize::kFit), {}),
                           blurred(resized(picture, place({64, 64}, {}, Resize::kFit), {}), 3)})
    for (int x = 0; x < made.size.width; ++x)
      if (made.planes[3].row(3)[x] > 8) CHECK(std::abs(made.planes[0].row(3)[x] - 100) <= 8);
}

TEST_CASE("a canvas shows the background around the picture, or nothing", "[picture]") {
  const auto white = on_canvas(picture_of({2, 2}, 1), {4, 2}, Colour{});
  CHECK(white.planes.size() == 1);
  CHECK(white.planes[0].row(0)[0] == 255);
  const auto red = on_canvas(picture_of({2, 2}, 1), {4, 2}, Colour{255, 0, 0});
  CHECK(red.planes.size() == 3);
  CHECK(red.planes[1].row(1)[3] == 0);
  const auto none = on_canvas(picture_of({2, 2}, 3), {2, 4}, std::nullopt);
  REQUIRE(none.has_alpha());
  CHECK(none.planes[3].row(0)[0] == 0);
  CHECK(none.planes[3].row(1)[0] == 255);
}

TEST_CASE("every orientation is undone by its inverse", "[picture]") {
  for (const auto& [one, other] :
       {std::pair{1, 1}, {2, 2}, {3, 3}, {4, 4}, {5, 5}, {6, 8}, {7, 7}, {8, 6}}) {
    const auto before = picture_of({70, 33}, 1);
    auto turned = upright(picture_of({70, 33}, 1), one);
    CHECK((turned.size == Size{33, 70}) == (one >= 5));
    CHECK(are_equal(upright(std::move(turned), other).planes[0], before.planes[0]));
  }
}
