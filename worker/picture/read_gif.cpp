#include <gif_lib.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "common/base/text.hpp"
#include "worker/picture/codecs.hpp"
#include "worker/picture/colours.hpp"
#include "worker/picture/report.hpp"

namespace eole::picture {

namespace {

int read(GifFileType* gif, GifByteType* out, int size) {
  auto& input = *static_cast<Input*>(gif->UserData);
  int got = 0;
  while (got < size) {
    const auto part = input.take(static_cast<std::size_t>(size - got));
    if (part.empty()) break;
    std::memcpy(out + got, part.data(), part.size());
    got += static_cast<int>(part.size());
  }
  return got;
}

[[noreturn]] void refuse(const Input& input, int error) {
  if (input.is_cut()) fail(text("a damaged GIF: cut off after ", input.taken(), " bytes"));
  const char* words = ::GifErrorString(error);
  fail(text("a damaged GIF: ", words != nullptr ? words : "it makes no sense"));
}

/// What stands in front of a picture.
struct Control {
  int transparent = NO_TRANSPARENT_COLOR;
};

void read_extension(GifFileType* gif, const Input& input, Control& control) {
  int code = 0;
  GifByteType* bytes = nullptr;
  if (::DGifGetExtension(gif, &code, &bytes) != GIF_OK) refuse(input, gif->Error);
  while (bytes != nullptr) {
    GraphicsControlBlock block{};
    if (code == GRAPHICS_EXT_FUNC_CODE &&
        ::DGifExtensionToGCB(bytes[0], bytes + 1, &block) == GIF_OK)
      control.transparent = block.TransparentColor;
    if (::DGifGetExtensionNext(gif, &bytes) != GIF_OK) refuse(input, gif->Error);
  }
}

// True: a picture comes; what controls it was read.
bool find_picture(GifFileType* gif, const Input& input, Control& control) {
  while (true) {
    GifRecordType type = UNDEFINED_RECORD_TYPE;
    if (::DGifGetRecordType(gif, &type) != GIF_OK) refuse(input, gif->Error);
    if (type == IMAGE_DESC_RECORD_TYPE) return true;
    if (type == TERMINATE_RECORD_TYPE) return false;
    read_extension(gif, input, control);
  }
}

// The rows in the order in which they are stored.
std::vector<int> row_order(int height, bool is_interlaced) {
  std::vector<int> order;
  constexpr int kPasses[][2] = {{0, 8}, {4, 8}, {2, 4}, {1, 2}};
  constexpr int kOnePass[][2] = {{0, 1}};
  for (const auto& [first, step] :
       is_interlaced ? std::span<const int[2]>(kPasses) : std::span<const int[2]>(kOnePass))
    for (int y = first; y < height; y += step) order.push_back(y);
  return order;
}

// Numbers of colours as RGBA; what is outside the canvas is not seen.
class Canvas {
 public:
  Canvas(Picture& picture, Colours& colours) : picture_(picture), colours_(colours) {
    row_.resize(static_cast<std::size_t>(picture.size.width) * 4);
    for (int y = 0; y < picture.size.height; ++y) set(y);
  }
  void set(int y) { picture_.set_row(y, colours_.converted(row_.data(), picture_.size.width)); }
  void draw(const GifFileType& gif, int y, const std::vector<GifPixelType>& numbers,
            int transparent) {
    const auto* map = gif.Image.ColorMap != nullptr ? gif.Image.ColorMap : gif.SColorMap;
    if (map == nullptr) fail("a damaged GIF: it has no colours");
    std::fill(row_.begin(), row_.end(), std::uint8_t{0});
    for (int x = 0; x < gif.Image.Width; ++x) {
      const int number = numbers[static_cast<std::size_t>(x)];
      const int at = gif.Image.Left + x;
      if (number == transparent || at >= picture_.size.width) continue;
      if (number >= map->ColorCount)
        fail(text("a damaged GIF: colour ", number, " of a palette of ", map->ColorCount));
      const auto& colour = map->Colors[number];
      const std::uint8_t rgba[] = {colour.Red, colour.Green, colour.Blue, 255};
      std::copy_n(rgba, 4, &row_[static_cast<std::size_t>(at) * 4]);
    }
    if (gif.Image.Top + y < picture_.size.height) set(gif.Image.Top + y);
  }

 private:
  Picture& picture_;
  Colours& colours_;
  std::vector<std::uint8_t> row_;
};

}  // namespace

Decoded read_gif(Input& input, const Job& job) {
  int error = 0;
  auto* gif = ::DGifOpen(&input, read, &error);
  if (gif == nullptr) refuse(input, error);
  check_size(static_cast<std::uint64_t>(gif->SWidth), static_cast<std::uint64_t>(gif->SHeight));
  Control control;
  if (!find_picture(gif, input, control)) fail("a damaged GIF: it has no picture");
  if (::DGifGetImageDesc(gif) != GIF_OK) refuse(input, gif->Error);
  const auto& frame = gif->Image;
  check_size(static_cast<std::uint64_t>(frame.Width), static_cast<std::uint64_t>(frame.Height));

  Colours colours(3, true, {}, job);
  Decoded decoded;
  decoded.picture = Picture::of({gif->SWidth, gif->SHeight}, colours.planes());
  Canvas canvas(decoded.picture, colours);
  std::vector<GifPixelType> numbers(static_cast<std::size_t>(frame.Width));
  for (const int y : row_order(frame.Height, frame.Interlace)) {
    if (::DGifGetLine(gif, numbers.data(), frame.Width) != GIF_OK) refuse(input, gif->Error);
    canvas.draw(*gif, y, numbers, control.transparent);
  }
  decoded.is_first_of_many = find_picture(gif, input, control);
  ::DGifCloseFile(gif, &error);
  return decoded;
}

}  // namespace eole::picture
