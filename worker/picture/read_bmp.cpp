#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "common/base/text.hpp"
#include "worker/picture/codecs.hpp"
#include "worker/picture/colours.hpp"
#include "worker/picture/report.hpp"

namespace eole::picture {

namespace {

constexpr std::uint32_t kPlain = 0;
constexpr std::uint32_t kRuns8 = 1;
constexpr std::uint32_t kRuns4 = 2;
constexpr std::uint32_t kMasks = 3;
constexpr std::uint32_t kAlphaMasks = 6;
constexpr std::uint32_t kFileHeadBytes = 14;
constexpr std::uint32_t kOldHeadBytes = 12;
constexpr std::uint32_t kHeadBytes = 40;
constexpr std::uint32_t kNewestHeadBytes = 124;
constexpr std::uint32_t kPaletteColours = 256;

/// Little-endian numbers, one after another.
class Numbers {
 public:
  explicit Numbers(Input& input) : input_(input) {}
  std::uint32_t next(unsigned bytes) {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < bytes; ++i) {
      const auto part = input_.take(1);
      if (part.empty()) fail(text("a damaged BMP: cut off after ", input_.taken(), " bytes"));
      value |= std::uint32_t{static_cast<unsigned char>(part[0])} << 8 * i;
    }
    return value;
  }
  void read(std::uint8_t* to, std::size_t size) {
    while (size > 0) {
      const auto part = input_.take(size);
      if (part.empty()) fail(text("a damaged BMP: cut off after ", input_.taken(), " bytes"));
      to = std::copy(part.begin(), part.end(), to);
      size -= part.size();
    }
  }
  void go_to(std::uint32_t at) {
    if (at < input_.taken()) fail(text("a damaged BMP: its pixels begin at ", at));
    while (input_.taken() < at) next(1);
  }

 private:
  Input& input_;
};

struct Head {
  Size size;
  bool is_top_first = false;
  std::uint32_t bits = 0;
  std::uint32_t coding = kPlain;
  std::uint32_t colours = 0;
  std::uint32_t pixels_at = 0;
  std::array<std::uint32_t, 4> masks{};
};

Head read_head(Numbers& numbers) {
  Head head;
  numbers.next(2);  // BM.
  numbers.next(4);
  numbers.next(4);
  head.pixels_at = numbers.next(4);
  const auto bytes = numbers.next(4);
  if (bytes != kOldHeadBytes && (bytes < kHeadBytes || bytes > kNewestHeadBytes))
    fail(text("a BMP with a head of ", bytes, " bytes: damaged or of an unknown kind"));
  const unsigned side = bytes == kOldHeadBytes ? 2 : 4;
  const auto width = numbers.next(side);
  auto height = numbers.next(side);
  if (side == 4 && height > 0x80000000U) {
    head.is_top_first = true;
    height = 0U - height;
  }
  check_size(width, height);
  head.size = {static_cast<int>(width), static_cast<int>(height)};
  numbers.next(2);
  head.bits = numbers.next(2);
  if (bytes == kOldHeadBytes) return head;
  head.coding = numbers.next(4);
  numbers.next(4);
  numbers.next(4);
  numbers.next(4);
  head.colours = numbers.next(4);
  numbers.next(4);
  auto left = bytes - kHeadBytes;
  const bool has_masks = head.coding == kMasks || head.coding == kAlphaMasks;
  // Behind the oldest head with masks there are three (or four), in the others these come first.
  const std::size_t count = left >= 16 || head.coding == kAlphaMasks ? 4 : 3;
  if (has_masks)
    for (std::size_t i = 0; i < count; ++i) {
      head.masks[i] = numbers.next(4);
      if (left >= 4) left -= 4;
    }
  while (left-- > 0) numbers.next(1);
  return head;
}

void check_coding(Head& head) {
  const auto bits = head.bits;
  const bool has_masks = head.coding == kMasks || head.coding == kAlphaMasks;
  const bool is_known = head.coding == kPlain ? bits == 1 || bits == 4 || bits == 8 || bits == 16 ||
                                                    bits == 24 || bits == 32
                        : head.coding == kRuns8 ? bits == 8
                        : head.coding == kRuns4 ? bits == 4
                                                : has_masks && (bits == 16 || bits == 32);
  if (!is_known)
    fail(text("a BMP of ", bits, " bits with coding ", head.coding, ", which cannot be read"));
  if (has_masks) return;
  if (bits == 16) head.masks = {0x7c00, 0x3e0, 0x1f, 0};
  if (bits == 32) head.masks = {0xff0000, 0xff00, 0xff, 0};
}

std::uint8_t masked(std::uint32_t value, std::uint32_t mask) {
  if (mask == 0) return 0;
  const auto shift = std::countr_zero(mask);
  const std::uint64_t most = mask >> shift;
  return static_cast<std::uint8_t>(((value & mask) >> shift) * std::uint64_t{255} / most);
}

/// Rows as they are stored, as RGB or RGBA.
class Rows {
 public:
  Rows(Numbers& numbers, const Head& head) : numbers_(numbers), head_(head) {
    const bool has_palette = head.bits <= 8;
    if (has_palette) palette_.resize(kPaletteColours);
    stored_.resize((static_cast<std::size_t>(head.size.width) * head.bits + 31) / 32 * 4);
    made_.resize(static_cast<std::size_t>(head.size.width) * 4);
  }
  void read_palette(std::uint32_t head_bytes_each) {
    const auto most = 1U << head_.bits;
    count_ = head_.colours == 0 ? most : head_.colours;
    if (count_ > kPaletteColours) fail(text("a damaged BMP: ", count_, " colours, at most ", most));
    for (std::size_t i = 0; i < count_; ++i) {
      for (const std::size_t c : {2, 1, 0})
        palette_[i][c] = static_cast<std::uint8_t>(numbers_.next(1));
      if (head_bytes_each == 4) numbers_.next(1);
    }
  }
  bool has_alpha() const { return head_.masks[3] != 0; }
  const std::uint8_t* next() {
    numbers_.read(stored_.data(), stored_.size());
    const auto width = static_cast<std::size_t>(head_.size.width);
    if (head_.bits <= 8) {
      const unsigned each = 8 / head_.bits;
      for (std::size_t x = 0; x < width; ++x) {
        const auto shift = static_cast<unsigned>(each - 1 - x % each) * head_.bits;
        set(x, stored_[x / each] >> shift & ((1U << head_.bits) - 1));
      }
    } else if (head_.bits == 24) {
      for (std::size_t x = 0; x < width; ++x)
        for (std::size_t c = 0; c < 3; ++c) made_[x * 3 + c] = stored_[x * 3 + 2 - c];
    } else {
      unpack_masked(width);
    }
    return made_.data();
  }
  /// Of numbers of colours.
  const std::uint8_t* looked_up(const std::uint8_t* indices) {
    for (std::size_t x = 0; x < static_cast<std::size_t>(head_.size.width); ++x) set(x, indices[x]);
    return made_.data();
  }

 private:
  void set(std::size_t x, std::size_t colour) {
    if (colour >= count_) fail(text("a damaged BMP: colour ", colour, " of a palette of ", count_));
    std::copy_n(palette_[colour].begin(), 3, &made_[x * 3]);
  }
  void unpack_masked(std::size_t width) {
    const std::size_t bytes = head_.bits / 8;
    const std::size_t channels = has_alpha() ? 4 : 3;
    for (std::size_t x = 0; x < width; ++x) {
      std::uint32_t value = 0;
      for (std::size_t i = 0; i < bytes; ++i)
        value |= std::uint32_t{stored_[x * bytes + i]} << 8 * i;
      for (std::size_t c = 0; c < channels; ++c)
        made_[x * channels + c] = masked(value, head_.masks[c]);
    }
  }

  Numbers& numbers_;
  const Head& head_;
  std::size_t count_ = 0;
  std::vector<std::array<std::uint8_t, 3>> palette_;
  std::vector<std::uint8_t> stored_;
  std::vector<std::uint8_t> made_;
};

/// Numbers of colours that are coded in runs, as a picture; what no run says is colour 0.
class Runs {
 public:
  Runs(Numbers& numbers, const Head& head) : numbers_(numbers), head_(head), indices_(head.size) {
    indices_.fill(0);
    while (step()) {
    }
  }
  const std::uint8_t* row(int y) const { return indices_.row(y); }

 private:
  bool step() {
    const auto count = numbers_.next(1);
    const auto value = numbers_.next(1);
    if (count > 0) {
      for (unsigned i = 0; i < count; ++i) put(pixel(value, i));
      return true;
    }
    if (value == 1) return false;
    if (value == 0) {
      go_to(0, y_ + 1);
    } else if (value == 2) {
      const auto right = static_cast<int>(numbers_.next(1));
      go_to(x_ + right, y_ + static_cast<int>(numbers_.next(1)));
    } else {
      literal(value);
    }
    return true;
  }
  // Checked at each step: many would run over a number.
  void go_to(int x, int y) {
    if (x > head_.size.width || y > head_.size.height)
      fail(text("a damaged BMP: a run to ", x, ", ", y));
    x_ = x;
    y_ = y;
  }
  void literal(unsigned count) {
    const unsigned each = head_.coding == kRuns4 ? 2 : 1;
    std::uint32_t byte = 0;
    for (unsigned i = 0; i < count; ++i) {
      if (i % each == 0) byte = numbers_.next(1);
      put(pixel(byte, i));
    }
    if ((count + each - 1) / each % 2 == 1) numbers_.next(1);  // To an even number of bytes.
  }
  std::uint8_t pixel(std::uint32_t byte, unsigned index) const {
    if (head_.coding == kRuns8) return static_cast<std::uint8_t>(byte);
    return static_cast<std::uint8_t>(index % 2 == 0 ? byte >> 4 : byte & 15);
  }
  void put(std::uint8_t index) {
    if (x_ >= head_.size.width || y_ >= head_.size.height)
      fail(text("a damaged BMP: a run to ", x_, ", ", y_));
    indices_.row(y_)[x_++] = index;
  }

  Numbers& numbers_;
  const Head& head_;
  Plane indices_;
  int x_ = 0;
  int y_ = 0;
};

}  // namespace

Decoded read_bmp(Input& input, const Job& job) {
  Numbers numbers(input);
  auto head = read_head(numbers);
  check_coding(head);
  const bool is_old = input.taken() == kFileHeadBytes + kOldHeadBytes;
  Rows rows(numbers, head);
  if (head.bits <= 8) rows.read_palette(is_old ? 3 : 4);
  numbers.go_to(head.pixels_at);
  Colours colours(3, rows.has_alpha(), {}, job);
  Decoded decoded;
  decoded.picture = Picture::of(head.size, colours.planes());
  const bool has_runs = head.coding == kRuns8 || head.coding == kRuns4;
  std::optional<Runs> runs;
  if (has_runs) runs.emplace(numbers, head);
  for (int y = 0; y < head.size.height; ++y) {
    const auto* samples = runs ? rows.looked_up(runs->row(y)) : rows.next();
    decoded.picture.set_row(head.is_top_first ? y : head.size.height - 1 - y,
                            colours.converted(samples, head.size.width));
  }
  return decoded;
}

}  // namespace eole::picture
