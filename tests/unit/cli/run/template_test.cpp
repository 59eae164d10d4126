#include "cli/run/template.hpp"

#include <catch2/catch.hpp>
#include <cstdio>

using namespace eole;
using cli::JobInputs;
using cli::Template;
using Words = std::vector<std::string>;

namespace {

std::string line(const std::string& written, const JobInputs& inputs) {
  return Template::parse(written)->line(inputs);
}

std::optional<Words> argv(const std::string& written, const JobInputs& inputs) {
  return Template::parse(written)->argv(inputs);
}

// What a shell makes of a line: each argument of `printf` and a bar.
std::string printed(const std::string& command) {
  std::string out;
  std::FILE* shell = ::popen(("cd / && " + command).c_str(), "r");
  char bytes[4096];
  for (std::size_t got = 0; (got = std::fread(bytes, 1, sizeof bytes, shell)) > 0;)
    out.append(bytes, got);
  ::pclose(shell);
  return out;
}

const Words kHostile{"plain.txt",
                     "two words",
                     "quote's",
                     "double\"quote",
                     "$(touch /x)",
                     "`id`",
                     "new\nline",
                     "-rf",
                     "a;b",
                     "a\\b",
                     "\xff\xfe",
                     "*",
                     "~",
                     "",
                     "a && b",
                     "'; echo bad;",
                     "\"; echo bad;",
                     "\n/bin/echo bad\n",
                     "${HOME}",
                     "tab\there",
                     "ünïcode",
                     "#x",
                     "!x",
                     "{}",
                     "\n'"};

}  // namespace

TEST_CASE("places stand for an input and parts of its name", "[run]") {
  const JobInputs inputs{7, {"some/dir/pic.tar.gz"}};
  REQUIRE(line("x {} {.} {/} {//} {/.} {#}", inputs) ==
          "x some/dir/pic.tar.gz some/dir/pic.tar pic.tar.gz some/dir pic.tar 7");
  REQUIRE(line("x {.} {//} {/}", {1, {"no.dir/name"}}) == "x no.dir/name no.dir name");
  REQUIRE(line("x {//} {/}", {1, {"name"}}) == "x . name");
  REQUIRE(line("x {//}", {1, {"/name"}}) == "x /");
  REQUIRE(line("x {1} {2/.} {2//}", {1, {"a", "b/c.d"}}) == "x a c b");
  REQUIRE(line("x {}", {1, {"a b", "c"}}) == "x a\\ b c");
  REQUIRE(line("x {01} {x} {-1} {##} { } {", {1, {"a"}}) == "x {01} {x} {-1} {##} { } {");
}

TEST_CASE("a template knows the highest source that it names", "[run]") {
  REQUIRE(Template::parse("a {} {3.} {2}")->highest_source() == 3);
  REQUIRE(Template::parse("a {}")->has_places());
  REQUIRE_FALSE(Template::parse("a b")->has_places());
  REQUIRE_FALSE(Template::parse("echo `echo {}`"));
  REQUIRE(Template::parse("echo $(echo {})"));
}

TEST_CASE("an input stays what it is, wherever it stands in a shell line", "[run]") {
  for (const auto& value : kHostile) {
    const JobInputs inputs{1, {value}};
    INFO(value);
    REQUIRE(printed(line("printf '%s|' {}", inputs)) == value + "|");
    REQUIRE(printed(line("printf '%s|' \"{}\" '{}'", inputs)) == value + "|" + value + "|");
    REQUIRE(printed(line("printf '%s|' a'b{}c'd", inputs)) == "ab" + value + "cd|");
    REQUIRE(printed(line("printf '%s|' \"$(printf '%s.' {})\"", inputs)) == value + ".|");
    REQUIRE(printed(line("printf '%s|' \"$(printf '%s.' \"{}\")\"", inputs)) == value + ".|");
  }
}

TEST_CASE("a line of plain or quoted words needs no shell, and means the same", "[run]") {
  for (const auto& value : kHostile) {
    const JobInputs inputs{1, {value}};
    REQUIRE(argv("printf %s {}", inputs) == Words{"printf", "%s", value});
    REQUIRE(argv("printf  'a {} b'  \"{}\"x", inputs) ==
            Words{"printf", "a " + value + " b", value + "x"});
  }
  REQUIRE(argv("cp {} to", {1, {"a b", "c"}}) == Words{"cp", "a b", "c", "to"});
  REQUIRE(argv("cp '{}' to{}", {1, {"a b", "c"}}) == Words{"cp", "a b c", "toa b", "c"});
  REQUIRE(argv("cp '' \"\"", {1, {}}) == Words{"cp", "", ""});
}

TEST_CASE("what only a shell can do is left to a shell", "[run]") {
  for (const auto* written :
       {"a | b {}",  "a > {}", "a; b",   "a &",      "cd {}", "X=1 a {}",  "a $X",  "a \"$X\"",
        "a *",       "a ~",    "a \\{}", "a {} # b", "(a)",   "{} x",      "if a",  "exit {}",
        "ulimit -a", "a 'b",   "! a",    "",         "a\nb",  "a $(b {})", ". ./x", "x{} y"})
    CHECK_FALSE(argv(written, {1, {"v"}}));
  for (const auto* written : {"true", "a=b", "/bin/x --y={} z:1,2 @%^+"})
    CHECK(Template::parse(written)->argv({1, {"v"}}).has_value() ==
          (std::string(written) != "a=b"));
}

TEST_CASE("a line that stands for itself has no places", "[run]") {
  REQUIRE(Template::of_line("echo {} 'a b'").line({1, {"x"}}) == "echo {} 'a b'");
  REQUIRE_FALSE(Template::of_line("echo {}").argv({1, {"x"}}));
  REQUIRE(Template::of_line("echo 'a b'").argv({1, {"x"}}) == Words{"echo", "a b"});
}

TEST_CASE("names of files take inputs as they are", "[run]") {
  REQUIRE(Template::parse("out/{#}-{1/.} {2}.txt")->plain({3, {"a/b c.d", "$x"}}) ==
          "out/3-b c $x.txt");
}
