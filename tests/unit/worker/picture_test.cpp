#include <catch2/catch.hpp>
#include <string>

#include "worker/picture/exif.hpp"
#include "worker/picture/formats.hpp"
#include "worker/picture/kept.hpp"

using namespace std::string_literals;
using eole::picture::format_of;
using eole::picture::orientation_of;
using eole::picture::upright_exif;

namespace {

// A directory at 8 with one entry; little-endian.
std::string tiff(char orientation) {
  return "II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"s + orientation + "\0\0\0\0\0\0\0"s;
}

}  // namespace

TEST_CASE("EXIF's orientation is read in both byte orders", "[picture]") {
  for (char value = 1; value <= 8; ++value) {
    CHECK(orientation_of(tiff(value)) == value);
    CHECK(orientation_of("MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"s + value + "\0\0"s) ==
          value);
  }
}

TEST_CASE("an orientation that cannot be is none", "[picture]") {
  CHECK(orientation_of(tiff(0)) == 1);
  CHECK(orientation_of(tiff(9)) == 1);
  CHECK(orientation_of("") == 1);
  CHECK(orientation_of("XX*\0\x08\0\0\0"s) == 1);
  auto of_another_type = tiff(6);
  of_another_type[12] = 7;
  CHECK(orientation_of(of_another_type) == 1);
  auto of_two = tiff(6);
  of_two[14] = 2;
  CHECK(orientation_of(of_two) == 1);
}

TEST_CASE("damaged EXIF is never read past its end", "[picture]") {
  const auto whole = tiff(6);
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const std::string cut(whole, 0, size);  // An allocation of its own: a sanitizer sees its end.
    CHECK(orientation_of(cut) == (size >= 22 ? 6 : 1));
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto changed = whole;
    for (int byte = 0; byte < 256; ++byte) {
      changed[at] = static_cast<char>(byte);
      const auto orientation = orientation_of(changed);
      CHECK((orientation >= 1 && orientation <= 8));
    }
  }
  CHECK(orientation_of("II*\0\xff\xff\xff\xff\xff\xff"s) == 1);
  CHECK(orientation_of("II*\0\x08\0\0\0\xff\xff"s) == 1);
}

TEST_CASE("files are told by their first bytes", "[picture]") {
  CHECK(format_of("\xff\xd8\xff\xe0") == "JPEG");
  CHECK(format_of("\x89PNG\r\n\x1a\n....") == "PNG");
  CHECK(format_of("RIFF1234WEBPVP8 ") == "WebP");
  CHECK(format_of("\0\0\0\x1c"
                  "ftypavif"s) == "AVIF");
  CHECK(format_of("\0\0\0\x18"
                  "ftypheic"s) == "HEIC");
  CHECK(format_of("GIF89a") == "GIF");
  CHECK(format_of("").empty());
  CHECK(format_of("RIFF").empty());
  CHECK(format_of("hello").empty());
}

TEST_CASE("EXIF of a picture that was turned says that it is upright, and the rest as before",
          "[picture]") {
  CHECK(upright_exif(tiff(6)) == tiff(1));
  const auto big = "MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0"s;
  CHECK(orientation_of(upright_exif(big)) == 1);
  CHECK(upright_exif("II*\0 none of it"s) == "II*\0 none of it"s);
  CHECK(upright_exif("").empty());
}

TEST_CASE("what is kept of a JPEG is its picture, and what was asked for", "[picture]") {
  const auto segment = [](char marker, const std::string& body) {
    return "\xff"s + marker + '\0' + static_cast<char>(body.size() + 2) + body;
  };
  const auto exif = segment('\xe1', "Exif\0\0where"s);
  const auto xmp = segment('\xe1', "http://ns.adobe.com/xap/1.0/\0who"s);
  const auto icc = segment('\xe2', "ICC_PROFILE\0\1\1which"s);
  const auto jfif = segment('\xe0', "JFIF\0"s);
  const auto adobe = segment('\xee', "Adobe"s);
  const auto scan = segment('\xdb', "table") + segment('\xda', "scan") + "\1\xff\0\2\xff\xd0\3"s;
  const auto rest = segment('\xc4', "more") + segment('\xda', "scan") + "\4\xff\xd9"s;
  const auto whole = "\xff\xd8"s + jfif + exif + xmp + icc + segment('\xe3', "thing") + adobe +
                     segment('\xfe', "comment") + scan + rest;
  const auto kept = [&](const std::string& file, const eole::picture::Job& job) {
    eole::picture::Output output;
    return eole::picture::copy_picture(eole::picture::Format::kJpeg, file, job, output)
               ? output.whole()
               : "nothing";
  };
  eole::picture::Job job;
  CHECK(kept(whole, job) == "\xff\xd8"s + jfif + adobe + scan + rest);
  CHECK(kept(whole + "a film behind it", job) == "\xff\xd8"s + jfif + adobe + scan + rest);
  job.keeps_exif = job.keeps_icc = job.keeps_xmp = true;
  CHECK(kept(whole, job) == "\xff\xd8"s + jfif + exif + xmp + icc + adobe + scan + rest);
  for (std::size_t size = 2; size < whole.size(); ++size)
    CHECK(kept(std::string(whole, 0, size), job) == "nothing");
}
