#include "gateway/core/http/multipart.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::gateway::http;

// Forms are read as they arrive, however they are cut, and hostile ones are refused.

namespace {

const std::string kType = "multipart/form-data; boundary=xYz";

std::string part(const std::string& head, const std::string& body) {
  return "--xYz\r\n" + head + "\r\n\r\n" + body + "\r\n";
}
const std::string kEnd = "--xYz--\r\n";
std::string field(const std::string& name, const std::string& body) {
  return part("Content-Disposition: form-data; name=\"" + name + "\"", body);
}

/// The parts as "name|file|type|bytes", and the error or "…" if it is not whole.
std::vector<std::string> read(const std::string& form, std::size_t piece = SIZE_MAX,
                              const std::string& type = kType) {
  auto reader = FormReader::of(type);
  if (!reader) return {reader.error().message};
  std::vector<std::string> out;
  for (std::size_t at = 0; at < form.size(); at += std::min(piece, form.size() - at)) {
    std::vector<FormEvent> events;
    const auto fed = reader->feed(std::string_view(form).substr(at, piece), events);
    for (const auto& event : events) {
      if (const auto* began = std::get_if<PartBegan>(&event))
        out.push_back(began->head.name + "|" + began->head.file_name.value_or("-") + "|" +
                      began->head.content_type + "|");
      if (const auto* came = std::get_if<PartPiece>(&event)) {
        REQUIRE_FALSE(came->bytes.empty());
        out.back() += came->bytes;
      }
    }
    if (!fed) {
      out.push_back(fed.error().message);
      return out;
    }
  }
  if (!reader->is_whole()) out.emplace_back("…");
  return out;
}
std::string refusal(const std::string& form, const std::string& type = kType) {
  return read(form, SIZE_MAX, type).back();
}
using Is = std::vector<std::string>;

}  // namespace

TEST_CASE("a form comes to the same parts wherever it is cut", "[gateway]") {
  const auto form = "something before\r\n" +
                    part(
                        "Content-Disposition: form-data; name=\"image\"; filename=\"a.jpg\"\r\n"
                        "Content-Type: image/jpeg",
                        "\r\n--xY\r\n--\r\n\r\r\n-xYz--") +
                    field("kind", "image") + field("empty", "") + kEnd + "something behind --xYz";
  const Is all{"image|a.jpg|image/jpeg|\r\n--xY\r\n--\r\n\r\r\n-xYz--", "kind|-||image",
               "empty|-||"};
  REQUIRE(read(form) == all);
  for (std::size_t piece = 1; piece < form.size(); ++piece) REQUIRE(read(form, piece) == all);
}

TEST_CASE("a reader of forms holds a boundary back, and no more", "[gateway]") {
  auto reader = *FormReader::of(kType);
  std::vector<FormEvent> events;
  REQUIRE(reader.feed("--xYz\r\nContent-Disposition: form-data; name=a\r\n\r\n", events));
  events.clear();
  REQUIRE(reader.feed(std::string(100'000, 'a'), events));
  REQUIRE(std::get<PartPiece>(events.at(0)).bytes.size() == 100'000 - 6);
}

TEST_CASE("names of parts and files are read as each client writes them", "[gateway]") {
  const auto file = [](const std::string& written) {
    const auto parts = read(part("Content-Disposition: form-data; name=i; " + written, "") + kEnd);
    return parts.at(0).substr(2, parts.at(0).size() - 4);
  };
  CHECK(file("filename=\"a \\\"b\\\" c.png\"") == "a \"b\" c.png");
  CHECK(file("filename=\"a %22b%22 c.png\"") == "a \"b\" c.png");
  CHECK(file("filename=\"100%.png\"") == "100%.png");
  CHECK(file("filename=\"C:\\photos\\a.png\"") == "C:\\photos\\a.png");
  CHECK(file("filename=a.png") == "a.png");
  CHECK(file("filename=\"a;b=c.png\"; x=y;") == "a;b=c.png");
  CHECK(file("filename=\"e.png\"; filename*=UTF-8''%C3%A9%20.png") == "\xc3\xa9 .png");
  CHECK(file("FILENAME=\"\xc3\xa9.png\"") == "\xc3\xa9.png");
  CHECK(file("filename=\"\"") == "");
}

TEST_CASE("what is no sound form is refused by what is wrong", "[gateway]") {
  CHECK(refusal("", "application/json") ==
        "Content-Type: wanted is multipart/form-data, not application/json");
  CHECK(refusal("", "") == "Content-Type: wanted is multipart/form-data, not nothing");
  CHECK(refusal("", "multipart/form-data") ==
        "Content-Type: multipart/form-data without a boundary");
  CHECK(refusal("", "multipart/form-data; boundary=a; boundary=b") ==
        "Content-Type: the parameter boundary is there twice");
  CHECK(refusal("", "multipart/form-data; boundary=" + std::string(71, 'a'))
            .starts_with("Content-Type: a boundary has 1 to 70"));
  CHECK(refusal("", "multipart/form-data; boundary=\"a\r\nb\"")
            .starts_with("Content-Type: a boundary has"));
  CHECK(refusal("") == "…");
  CHECK(refusal("--xYz-") == "…");
  CHECK(refusal(field("a", "b")) == "…");
  CHECK(refusal("--xYzz\r\n") ==
        "a boundary is followed by neither two dashes nor the end of the line");
  CHECK(refusal("--xYz\n\n") ==
        "a boundary is followed by neither two dashes nor the end of the line");
  CHECK(refusal("--xYz\r\n\r\nbody\r\n" + kEnd) == "a part has no Content-Disposition");
  CHECK(refusal(part("Content-Disposition: form-data", "")) ==
        "Content-Disposition of a part: has no name");
  CHECK(refusal(part("Content-Disposition: attachment; name=a", "")) ==
        "Content-Disposition of a part: wanted is form-data, not attachment");
  CHECK(refusal(part("Content-Disposition: form-data; name=\"a", "")) ==
        "Content-Disposition of a part: the parameter name has no closing quote");
  CHECK(refusal(part("Content-Disposition: form-data; name=a; name=b", "")) ==
        "Content-Disposition of a part: the parameter name is there twice");
  CHECK(refusal(part("Content-Disposition: form-data; name=a; filename*=latin1''%e9", "")) ==
        "Content-Disposition of a part: filename*=latin1''%e9: is no UTF-8''…");
  CHECK(refusal(part("Content-Disposition: form-data; name=a; filename*=UTF-8''%e9", ""))
            .starts_with("Content-Disposition of a part: filename*="));
  CHECK(refusal(part("Content-Disposition: form-data; name=a\r\n"
                     "Content-Disposition: form-data; name=b",
                     "")) == "a part has two fields Content-Disposition");
  CHECK(refusal(part("Content-Disposition: form-data; name=a\r\n folded", "")) ==
        "the head of a part has a line that is no field");
  CHECK(refusal(part("Content-Disposition: form-data; name=a\r\n"
                     "Content-Transfer-Encoding: base64",
                     "")) == "Content-Transfer-Encoding of a part: base64: is not taken");
  CHECK(refusal(part(std::string("Content-Disposition: form-data; name=a\0b", 40), "")) ==
        "the head of a part: content-disposition has a control character");
}

TEST_CASE("what a form may cost has bounds, however it is cut", "[gateway]") {
  std::string many;
  for (std::size_t i = 0; i <= kFormPartsMax; ++i) many += field("a", "");
  for (const std::size_t piece : {std::size_t{1000}, SIZE_MAX}) {
    CHECK(read(many, piece).back() == "more than 128 parts");
    CHECK(read("--xYz\r\nA: " + std::string(9000, 'a'), piece).back() ==
          "a part's head of over 8192 bytes");
    CHECK(read(std::string(9000, 'a'), piece).back() ==
          "over 8192 bytes before the first boundary");
    CHECK(read("--xYz" + std::string(9000, ' '), piece).back() ==
          "over 8192 blanks behind a boundary");
  }
}
