#include "gateway/core/http/file_names.hpp"

#include <catch2/catch.hpp>

#include "common/base/text.hpp"

using eole::text;
using namespace eole::gateway::http;
using namespace std::string_view_literals;

TEST_CASE("of a file's name nothing is left that means something else to a system", "[gateway]") {
  CHECK(safe_file_name("photo.jpg") == "photo.jpg");
  CHECK(safe_file_name("\xc3\xa9t\xc3\xa9 1.jpg") == "\xc3\xa9t\xc3\xa9 1.jpg");
  CHECK(safe_file_name("../../etc/passwd") == "passwd");
  CHECK(safe_file_name("C:\\photos\\a.png") == "a.png");
  CHECK(safe_file_name("a/") == "");
  CHECK(safe_file_name("..") == "");
  CHECK(safe_file_name(" . ") == "");
  CHECK(safe_file_name(".htaccess. ") == "htaccess");
  CHECK(safe_file_name(std::string("a\0\r\n\x1b[1m.png", 12)) == "a____[1m.png");
  CHECK(safe_file_name("gpj.\xe2\x80\xae"
                       "exe") == "gpj._exe");
  CHECK(safe_file_name("\xff.png") == "_.png");
  CHECK(safe_file_name("a<b>:\"|?*.png") == "a_b______.png");
  CHECK(safe_file_name("nul.png") == "_nul.png");
  CHECK(safe_file_name("com1") == "_com1");
  CHECK(safe_file_name("prn .png") == "_prn .png");
  CHECK(safe_file_name(text("prn", std::string(300, ' '), "a")) == "_prn");  // What a cut leaves.
  CHECK(safe_file_name(text("prn.", std::string(251, 'a'))).size() == kFileNameBytesMax);
  CHECK(safe_file_name("com0.png") == "com0.png");
  CHECK(safe_file_name("command.png") == "command.png");
}

TEST_CASE("a long name is cut between two characters, and keeps its ending", "[gateway]") {
  std::string name;
  for (int i = 0; i < 100; ++i) name += "\xe2\x82\xac";
  const auto safe = safe_file_name(name + ".jpeg");
  CHECK(safe.size() <= kFileNameBytesMax);
  CHECK(safe.size() > kFileNameBytesMax - 3);
  CHECK(safe.ends_with("\xac.jpeg"));
  CHECK(safe_file_name(std::string(500, 'a')).size() == kFileNameBytesMax);
  std::string spaced(199, 'a');
  spaced += ' ';
  spaced.append(99, 'b');
  CHECK(safe_file_name(spaced) == std::string(199, 'a'));
}

TEST_CASE("a name is told to every reader of an attachment", "[gateway]") {
  CHECK(attachment("a b.jpg") == "attachment; filename=\"a b.jpg\"");
  CHECK(attachment("\xc3\xa9.jpg") ==
        "attachment; filename=\"_.jpg\"; filename*=UTF-8''%C3%A9.jpg");
  CHECK(attachment("a\"\\.jpg") == "attachment; filename=\"a\\\"\\\\.jpg\"");
  CHECK(attachment("50%20.jpg") ==
        "attachment; filename=\"50%20.jpg\"; filename*=UTF-8''50%2520.jpg");
  CHECK(attachment("a\r\nX: y") ==
        "attachment; filename=\"a__X: y\"; filename*=UTF-8''a%0D%0AX%3A%20y");
}

TEST_CASE("the type of a file is told by its bytes", "[gateway]") {
  CHECK(type_by_content("\xff\xd8\xff\xe0") == "image/jpeg");
  CHECK(type_by_content("\x89PNG\r\n\x1a\n....") == "image/png");
  CHECK(type_by_content("RIFF....WEBPVP8 ") == "image/webp");
  CHECK(type_by_content("<svg onload=alert(1)>") == "application/octet-stream");
  CHECK(type_by_content("<html>") == "application/octet-stream");
  CHECK(type_by_content("\xff\xd8") == "application/octet-stream");
  CHECK(type_by_content("") == "application/octet-stream");
  CHECK(is_picture("image/png"));
  CHECK(is_picture("image/gif"));
  CHECK_FALSE(is_picture("image/avif"));
  CHECK(type_by_content("II*\0...."sv) == "image/tiff");
  CHECK(type_by_content("BM\1\2\3\4\0\0\0\0..."sv) == "image/bmp");
  CHECK(type_by_content("BM is a text") == "application/octet-stream");
}
