#include "worker/picture/make.hpp"

#include <algorithm>

#include "common/base/text.hpp"
#include "worker/picture/codecs.hpp"
#include "worker/picture/edit.hpp"
#include "worker/picture/exif.hpp"
#include "worker/picture/formats.hpp"
#include "worker/picture/kept.hpp"
#include "worker/picture/quality.hpp"
#include "worker/picture/read_jpeg.hpp"
#include "worker/picture/recode_jpeg.hpp"
#include "worker/picture/report.hpp"

namespace eole::picture {

namespace {

constexpr std::string_view kReadable = "JPEG, PNG, WebP, GIF, BMP and TIFF can be read";

std::string_view format_of_input(const Input& input) {
  const auto head = input.peek(kFormatBytes);
  if (head.empty()) fail("the input is empty");
  return format_of(head);
}

Decoded decode(Input& input, const Job& job) {
  const auto format = format_of_input(input);
  if (format == "JPEG") return read_jpeg(input, job);
  if (format == "PNG") return read_png(input, job);
  if (format == "WebP") return read_webp(input, job);
  if (format == "GIF") return read_gif(input, job);
  if (format == "BMP") return read_bmp(input, job);
  if (format == "TIFF") return read_tiff(input, job);
  if (format.empty()) fail(text("no picture that is known; ", kReadable));
  const bool is_an = format == "AVIF" || format == "ICO" || format == "SVG";
  fail(text(is_an ? "an " : "a ", format, " file; ", kReadable));
}

std::optional<Format> writable(std::string_view format) {
  if (format == "JPEG") return Format::kJpeg;
  if (format == "PNG") return Format::kPng;
  if (format == "WebP") return Format::kWebp;
  return {};
}

// What cannot be written as it came loses nothing as a PNG.
void settle_format(Job& job, std::string_view input) {
  if (!job.format) job.format = writable(input).value_or(Format::kPng);
  if (*job.format == Format::kJpeg && !job.background) job.background = Colour{};
}

/// Encodes the pictures of a job.
class Maker {
 public:
  Maker(Job& job, Input& input) : job_(job), input_(input), input_format_(format_of_input(input)) {
    settle_format(job_, input_format_);
    report_.format = *job_.format;
  }

  Report make() {
    if (input_format_ == "JPEG" && is_same_otherwise() && make_of_jpeg()) return report_;
    auto decoded = decode(input_, job_);
    report_.is_first_of_many = decoded.is_first_of_many;
    drop_unused(decoded);
    auto& picture = decoded.picture;
    const auto plan = placements(job_, picture.size, decoded.orientation);
    const bool is_laid = job_.background && job_.format != Format::kJpeg;  // What was transparent.
    const bool is_same =
        decoded.is_plain && !is_laid && is_same_otherwise() && is_whole(plan[0], picture);
    if (job_.is_grey) picture = grey(std::move(picture));
    for (std::size_t i = 0; i < plan.size(); ++i) {
      const bool is_last = i + 1 == plan.size();
      auto made = placed(picture, plan[i], is_last);
      made =
          edited(on_canvas(std::move(made), plan[i].canvas, job_.background), decoded.orientation);
      auto [output, quality] = encoded(made, decoded.metadata);
      finish(i, made.size, quality, output, is_same);
    }
    return report_;
  }

 private:
  // No more is asked for than another quality of the same picture.
  bool is_same_otherwise() const {
    return writable(input_format_) == job_.format && job_.sizes.empty() && !job_.changes_pixels();
  }
  static bool is_whole(const Placement& placement, const Picture& picture) {
    return placement.to == picture.size && placement.canvas == picture.size;
  }

  // The two short ways from a JPEG to another: none, and without pixels between them.
  bool make_of_jpeg() {
    JpegReader reader(input_, job_);
    const auto plan = placements(job_, reader.size(), reader.orientation());
    if (plan[0].to != reader.size() || plan[0].canvas != reader.size()) return again();
    if (reader.is_plain() && reader.is_coarse_enough() && fits(input_.size())) {
      reader.check();
      if (keep(0, reader.size())) return true;
    }
    if (job_.size_max != 0 || !reader.has_wanted_planes()) return again();
    input_.rewind();
    JpegReader whole(input_, job_);
    Output output;
    recode(whole, kept(whole.metadata()), job_, output);
    finish(0, whole.size(), job_.quality, output, whole.is_plain());
    return true;
  }
  bool again() {
    input_.rewind();
    return false;
  }

  bool fits(std::uint64_t bytes) const { return job_.size_max == 0 || bytes <= job_.size_max; }

  void drop_unused(Decoded& decoded) const {
    decoded.metadata = kept(decoded.metadata);
    auto& planes = decoded.picture.planes;
    if (!decoded.picture.has_alpha()) return;
    for (int y = 0; y < planes[3].size().height; ++y)
      if (!std::all_of(planes[3].row(y), planes[3].row(y) + planes[3].size().width,
                       [](std::uint8_t alpha) { return alpha == 255; }))
        return;
    planes.pop_back();
  }

  Metadata kept(const Metadata& metadata) const {
    return {job_.keeps_exif ? upright_exif(metadata.exif) : "", metadata.icc,
            job_.keeps_xmp ? metadata.xmp : ""};
  }

  // As large as it is placed. The last one takes what was decoded.
  Picture placed(Picture& picture, const Placement& placement, bool is_last) const {
    const bool is_all = placement.to == picture.size && picture.planes[0].size() == picture.size &&
                        placement.width == picture.size.width &&
                        (!picture.is_ycc || has_wanted_chroma(picture));
    if (is_all && is_last) return std::move(picture);
    return resized(picture, placement, job_.chroma);
  }
  bool has_wanted_chroma(const Picture& picture) const {
    return std::all_of(picture.planes.begin() + 1, picture.planes.end(), [&](const Plane& plane) {
      return plane.across() * job_.chroma.across == 1 && plane.down() * job_.chroma.down == 1;
    });
  }

  Picture edited(Picture picture, int orientation) const {
    picture = upright(upright(std::move(picture), orientation), job_.rotation);
    if (job_.blur > 0) picture = blurred(std::move(picture), job_.blur);
    if (job_.sharpen > 0) picture = sharpened(std::move(picture), job_.sharpen);
    if (job_.mark < 0) return picture;
    return watermarked(std::move(picture), mark());
  }

  Picture mark() const {
    Job job;
    job.format = Format::kPng;
    Input input(job_.mark);
    input.rewind();  // Each size reads it.
    auto decoded = decode(input, job);
    return upright(std::move(decoded.picture), decoded.orientation);
  }

  std::pair<Output, int> encoded(const Picture& picture, const Metadata& metadata) const {
    Output output;
    if (job_.format == Format::kPng) {
      write_png(picture, metadata, output);
      if (!fits(output.size()))
        fail(text(output.size(), " bytes as PNG, size_max is ", job_.size_max));
      return {std::move(output), 0};
    }
    std::uint64_t least = 0;
    const auto best = best_quality(job_.quality, [&](int quality) {
      Output tried;
      if (job_.format == Format::kJpeg)
        write_jpeg(picture, metadata, job_, quality, tried);
      else
        write_webp(picture, metadata, quality, tried);
      least = tried.size();
      if (!fits(least)) return false;
      output = std::move(tried);
      return true;
    });
    if (!best) fail(text(least, " bytes at quality 1, size_max is ", job_.size_max));
    return {std::move(output), *best};
  }

  bool keep(std::size_t index, Size size) {
    Output same;
    if (!copy_picture(*job_.format, input_.whole(), job_, same)) return false;
    same.write_to(job_.outputs[index]);
    report_.is_kept = true;
    report_.made.push_back({size, 0});
    return true;
  }

  // The input is better where nothing was gained.
  void finish(std::size_t index, Size size, int quality, const Output& output, bool is_same) {
    const auto before = input_.size();
    if (is_same && before > 0 && output.size() >= before && fits(before) && keep(index, size))
      return;
    output.write_to(job_.outputs[index]);
    report_.made.push_back({size, quality});
  }

  Job& job_;
  Input& input_;
  std::string_view input_format_;
  Report report_;
};

}  // namespace

Report make(Job& job) {
  Input input(job.input);
  return Maker(job, input).make();
}

}  // namespace eole::picture
