#include "gateway/core/upload.hpp"

#include <catch2/catch.hpp>

#include "common/base/text.hpp"
#include "common/kinds/offered.hpp"
#include "common/protocol/records.hpp"

using namespace eole;
using namespace eole::gateway;
using protocol::Value;

namespace {

const std::string kSha(64, 'a');

// Of a cluster whose workers have no kinds of their own.
client::TaskRequest known() {
  static const kinds::OfferedKinds kNone;
  client::TaskRequest preset;
  preset.offered = &kNone;
  return preset;
}

template <class Act>
std::string refused(Act act) {
  try {
    act();
  } catch (const http::Problem& problem) {
    return std::to_string(problem.status) + " " + problem.detail;
  }
  return "taken";
}
std::string no_wish(const UploadFields& fields) {
  return refused([&] { read_wish(fields, "a.jpg"); });
}
/// The arguments of the task that a form makes.
std::string args_of(const UploadFields& fields) {
  const auto batch = task_of(read_wish(fields, "a.jpg", {}, known()), kSha);
  ByteReader groups(batch.groups);
  const auto group = protocol::read_task_group(groups);
  ByteReader specs(group->specs);
  return Value::from_msgpack(protocol::read_task_spec(specs)->args)->to_json();
}

}  // namespace

TEST_CASE("an upload is compressed unless its form wants something else", "[gateway]") {
  CHECK(args_of({}) == R"({"artifact":")" + kSha + R"(","name":"a.jpg"})");
  CHECK(args_of({{"width", "800"}, {"quality", "70"}}) ==
        R"({"width":800,"quality":70,"artifact":")" + kSha + R"(","name":"a.jpg"})");
  CHECK(args_of({{"args", R"({"quality": 5, "name": "b.jpg"})"}}) ==
        R"({"quality":5,"name":"b.jpg","artifact":")" + kSha + R"("})");
  CHECK(args_of({{"size", "7"}, {"kind", "thumbs"}}) ==
        R"({"size":"7","artifact":")" + kSha + R"(","name":"a.jpg"})");
}

TEST_CASE("a wish that makes no sense is refused", "[gateway]") {
  CHECK(no_wish({{"args", "{"}}).starts_with("400 args: "));
  CHECK(no_wish({{"args", "[]"}}) == "400 args: wanted is a JSON object");
  CHECK(no_wish({{"qualty", "70"}}) == "400 field qualty: kind image has no such argument");
  CHECK(no_wish({{"kind", "nqueens"}}) ==
        "400 kind nqueens takes no file: it has no argument artifact");
  CHECK(refused([] {
          task_of(read_wish({{"quality", "high"}}, "a.jpg"), kSha);
        }).starts_with("400 "));
  CHECK(refused([] {
          task_of(read_wish({{"quality", "101"}}, "a.jpg"), kSha);
        }).starts_with("400 "));
}

TEST_CASE("an upload of a kind of which nothing was told yet is for later", "[gateway]") {
  CHECK(no_wish({{"kind", "thumbs"}, {"size", "7"}}).starts_with("503 kind thumbs: "));
  CHECK(no_wish({{"kind", "image"}}) == "taken");  // What Eole brings is known.
}

TEST_CASE("what is uploaded within a prefix is of a project there", "[gateway]") {
  const Within acme("acme/");
  CHECK(read_wish({}, "a.jpg").project == "uploads");
  CHECK(read_wish({}, "a.jpg", acme).project == "acme/uploads");
  CHECK(read_wish({{"project", "acme/x"}}, "a.jpg", acme).project == "acme/x");
  for (const auto* project : {"zeta/x", "acme", ""})
    CHECK(refused([&] {
            read_wish({{"project", project}}, "a.jpg", acme);
          }) == text("403 project ", project, ": is not within acme/"));
}

TEST_CASE("a picture is one by its first bytes, whatever its name", "[gateway]") {
  const auto wish = read_wish({}, "a.jpg");
  CHECK(refused([&] { check_type(wish, "\xff\xd8\xff\xe0"); }) == "taken");
  CHECK(refused([&] { check_type(wish, "%PDF-1.7"); }) ==
        "400 type not allowed: a.jpg is no JPEG, PNG, WebP, GIF, BMP or TIFF, by its first bytes, "
        "but application/pdf");
  CHECK(refused([&] { check_type(wish, ""); }) ==
        "400 type not allowed: a.jpg is no JPEG, PNG, WebP, GIF, BMP or TIFF, by its first bytes");
  CHECK(refused([&] { check_type(read_wish({{"kind", "thumbs"}}, "a", {}, known()), "GIF89a"); }) ==
        "taken");
}

TEST_CASE("the name that is told leads to the task", "[gateway]") {
  const auto id = *parse_task_id("k3f9qz-17");
  for (const auto* name : {"photo.jpg", "a-b-1.tar.gz", "noending", "x.", "-"}) {
    const auto told = told_name({.file_name = name}, id);
    CHECK(task_in_name(told) == id);
  }
  CHECK(told_name({.file_name = "photo.jpg"}, id) == "photo-k3f9qz-17.jpg");
  CHECK(task_in_name("k3f9qz-17.jpg") == id);
  for (const auto* name : {"", "photo.jpg", "-", "a-b", "photo-k3f9qz-17x.jpg",
                           "photo-k3f9qz-0.jpg", "photo-k3f9qz.jpg", "../../etc/passwd"})
    CHECK_FALSE(task_in_name(name));
}
