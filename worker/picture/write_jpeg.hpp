#pragma once
#include <array>

#include "worker/picture/job.hpp"
#include "worker/picture/libjpeg.hpp"
#include "worker/picture/output.hpp"

namespace eole::picture {

/// libjpeg's encoder to an output.
struct JpegTarget {
  /// `is_ycc`: planes come by jpeg_write_raw_data(), with the job's chroma; else rows, of grey or
  /// RGB.
  JpegTarget(Output& to, Size size, int planes, bool is_ycc, const Job& job, int quality);
  ~JpegTarget() { ::jpeg_destroy_compress(&jpeg); }
  JpegTarget(const JpegTarget&) = delete;
  JpegTarget& operator=(const JpegTarget&) = delete;

  void start(const Metadata& metadata);

  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg_destination_mgr destination{};
  Output& output;
  std::vector<JOCTET> buffer;
};

/// The sums of the tables that divide luma and chroma.
std::array<unsigned, 2> coarseness(int quality);

}  // namespace eole::picture
