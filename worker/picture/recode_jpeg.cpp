#include "worker/picture/recode_jpeg.hpp"

#include "worker/picture/write_jpeg.hpp"

namespace eole::picture {

void recode(JpegReader& reader, const Metadata& metadata, const Job& job, Output& output) {
  auto& from = reader.start_planes(1);
  JpegTarget target(output, reader.size(), 3, true, job, job.quality);
  target.start(metadata);
  auto& to = target.jpeg;
  std::vector<Plane> blocks;
  for (int c = 0; c < 3; ++c) {
    const auto& each = from.comp_info[c];
    blocks.emplace_back(
        Size{static_cast<int>(each.width_in_blocks) * DCTSIZE, each.v_samp_factor * DCTSIZE});
  }
  const auto lines = static_cast<JDIMENSION>(from.max_v_samp_factor * DCTSIZE);
  while (from.output_scanline < from.output_height) {
    JSAMPROW rows[3][MAX_SAMP_FACTOR * DCTSIZE];
    JSAMPARRAY planes[] = {rows[0], rows[1], rows[2]};
    reader.read_planes([&](int c, int row) {
      auto& plane = blocks[static_cast<std::size_t>(c)];
      const int in_block = row % plane.size().height;
      return rows[c][in_block] = plane.row(in_block);
    });
    ::jpeg_write_raw_data(&to, planes, lines);
  }
  reader.finish();
  ::jpeg_finish_compress(&to);
}

}  // namespace eole::picture
