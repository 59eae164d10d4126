#include <unistd.h>

#include <cerrno>
#include <vector>

#include "common/base/text.hpp"
#include "worker/picture/codecs.hpp"
#include "worker/picture/libjpeg.hpp"
#include "worker/picture/report.hpp"

namespace eole::picture {

namespace {

struct Writer {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg_destination_mgr destination{};
  std::vector<JOCTET> buffer;
};

[[noreturn]] void refuse(j_common_ptr jpeg) {
  char message[JMSG_LENGTH_MAX];
  jpeg->err->format_message(jpeg, message);
  fail(text("cannot be encoded: ", message));
}

Writer& writer_of(j_compress_ptr jpeg) { return *static_cast<Writer*>(jpeg->client_data); }

void flush(j_compress_ptr jpeg, std::size_t size) {
  auto& writer = writer_of(jpeg);
  for (std::size_t at = 0; at < size;) {
    const auto written = ::write(kOutput, writer.buffer.data() + at, size - at);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail("its result cannot be written: is the disk full?");
    at += static_cast<std::size_t>(written);
  }
  writer.destination.next_output_byte = writer.buffer.data();
  writer.destination.free_in_buffer = writer.buffer.size();
}

}  // namespace

void write_jpeg(const Pixels& pixels, int quality) {
  Writer writer;
  writer.buffer.resize(1 << 16);
  auto& jpeg = writer.jpeg;
  jpeg.err = ::jpeg_std_error(&writer.errors);
  writer.errors.error_exit = refuse;
  jpeg.client_data = &writer;
  ::jpeg_create_compress(&jpeg);
  writer.destination.init_destination = [](j_compress_ptr each) { flush(each, 0); };
  writer.destination.empty_output_buffer = [](j_compress_ptr each) -> boolean {
    flush(each, writer_of(each).buffer.size());
    return TRUE;
  };
  writer.destination.term_destination = [](j_compress_ptr each) {
    flush(each, writer_of(each).buffer.size() - each->dest->free_in_buffer);
  };
  jpeg.dest = &writer.destination;
  jpeg.image_width = static_cast<JDIMENSION>(pixels.size.width);
  jpeg.image_height = static_cast<JDIMENSION>(pixels.size.height);
  jpeg.input_components = 3;
  jpeg.in_color_space = JCS_RGB;
  ::jpeg_set_defaults(&jpeg);  // 4:2:0.
  ::jpeg_set_quality(&jpeg, quality, TRUE);
  jpeg.optimize_coding = TRUE;
  ::jpeg_start_compress(&jpeg, TRUE);
  for (int y = 0; y < pixels.size.height; ++y) {
    JSAMPROW rows[] = {const_cast<JSAMPROW>(pixels.row(y))};
    ::jpeg_write_scanlines(&jpeg, rows, 1);
  }
  ::jpeg_finish_compress(&jpeg);
  ::jpeg_destroy_compress(&jpeg);
}

}  // namespace eole::picture
