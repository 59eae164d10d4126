#include "worker/picture/kept.hpp"

#include <algorithm>

namespace eole::picture {

namespace {

using namespace std::string_view_literals;

unsigned byte_at(std::string_view file, std::size_t at) {
  return static_cast<unsigned char>(file[at]);
}

std::uint64_t number_at(std::string_view file, std::size_t at, std::size_t size, bool is_big) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i)
    value = value << 8 | byte_at(file, at + (is_big ? i : size - 1 - i));
  return value;
}

// What the picture needs, and what is kept of the rest.
bool is_wanted_segment(unsigned marker, std::string_view body, const Job& job) {
  if (marker == 0xe0) return body.starts_with("JFIF\0"sv);
  if (marker == 0xe1)
    return body.starts_with("Exif\0\0"sv)
               ? job.keeps_exif
               : body.starts_with("http://ns.adobe.com/xap/1.0/\0"sv) && job.keeps_xmp;
  if (marker == 0xe2) return body.starts_with("ICC_PROFILE\0"sv) && job.keeps_icc;
  if (marker == 0xee) return body.starts_with("Adobe"sv);
  return !(marker >= 0xe0 && marker <= 0xef) && marker != 0xfe;
}

// Where the coded pixels from `at` on end: at the next marker that is not a part of them.
std::size_t end_of_scan(std::string_view file, std::size_t at) {
  while (true) {
    at = file.find('\xff', at);
    if (at == std::string_view::npos || at + 1 >= file.size()) return file.size();
    const auto next = byte_at(file, at + 1);
    if (next != 0 && next != 0xff && (next < 0xd0 || next > 0xd7)) return at;
    at += next == 0xff ? 1 : 2;
  }
}

bool copy_jpeg(std::string_view file, const Job& job, Output& output) {
  output.add(file.substr(0, 2));
  std::size_t at = 2;
  while (at + 4 <= file.size() && byte_at(file, at) == 0xff) {
    const auto marker = byte_at(file, at + 1);
    const auto size = static_cast<std::size_t>(number_at(file, at + 2, 2, true));
    if (marker < 0xc0 || (marker >= 0xd0 && marker <= 0xd9) || size < 2 ||
        at + 2 + size > file.size())
      return false;
    const auto segment = file.substr(at, 2 + size);
    if (is_wanted_segment(marker, segment.substr(4), job)) output.add(segment);
    at += segment.size();
    if (marker != 0xda) continue;
    const auto end = end_of_scan(file, at);
    output.add(file.substr(at, end - at));
    at = end;
    if (at + 2 > file.size()) return false;
    if (byte_at(file, at + 1) != 0xd9) continue;
    output.add(file.substr(at, 2));
    return true;
  }
  return false;
}

bool is_wanted_chunk(std::string_view name, std::string_view body, const Job& job) {
  if (name == "eXIf") return job.keeps_exif;
  if (name == "iCCP") return job.keeps_icc;
  if (name == "iTXt") return job.keeps_xmp && body.starts_with("XML:com.adobe.xmp\0"sv);
  return name != "tEXt" && name != "zTXt" && name != "tIME";
}

bool copy_png(std::string_view file, const Job& job, Output& output) {
  std::size_t at = 8;
  output.add(file.substr(0, at));
  while (at + 12 <= file.size()) {
    const auto size = number_at(file, at, 4, true);
    if (size > file.size() - at - 12) return false;
    const auto chunk = file.substr(at, static_cast<std::size_t>(size) + 12);
    const auto name = chunk.substr(4, 4);
    if (is_wanted_chunk(name, chunk.substr(8), job)) output.add(chunk);
    at += chunk.size();
    if (name == "IEND") return true;
  }
  return false;
}

}  // namespace

bool copy_picture(Format format, std::string_view file, const Job& job, Output& output) {
  if (format == Format::kJpeg) return copy_jpeg(file, job, output);
  return format == Format::kPng && copy_png(file, job, output);
}

}  // namespace eole::picture
