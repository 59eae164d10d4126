#include "common/kinds/kinds.hpp"

namespace eole::kinds {

namespace {

constexpr double kTextMax = 1 << 20;  // What one task's arguments may have in all.
constexpr double kNameMax = 255;
constexpr double kSecondsMax = 30 * 86400.0;
constexpr double kBytesMax = 1LL << 50;

Argument timeout_of(std::string_view about) {
  return {"timeout", Type::kNumber, about, false, "0", 0, kSecondsMax};
}

}  // namespace

const std::vector<Kind>& all() {
  using enum Type;
  static const std::vector<Kind> kinds{
      {.name = "download",
       .about = "Fetch a file over HTTP or HTTPS.",
       .result =
           "the file as an artifact, done only with every byte of one version; resumes where it "
           "broke off if a strong validator vouches for it",
       .arguments =
           {{"url", kText, "what to fetch: http:// or https://", true, {}, 1, 65536},
            {"sha256", kText, "the digest it must have, 64 hexadecimal letters", false, {}, 64, 64},
            {"name",
             kText,
             "the artifact's name [the server's, else the URL's]",
             false,
             {},
             1,
             kNameMax},
            {"size_max", kInteger, "bytes; a larger file fails", false, "17179869184", 0,
             kBytesMax},
            timeout_of("seconds for the whole task, tries and pauses too; 0: none"),
            {"retries", kInteger, "more tries after one that broke off", false, "5", 0, 100},
            {"low_speed_bytes", kInteger, "a second; slower for low_speed_seconds is given up",
             false, "100", 0, kBytesMax},
            {"low_speed_seconds", kInteger, "seconds", false, "60", 1, 86400}},
       .per_word = "url"},
      {.name = "echo",
       .about = "Give back whatever the arguments are. For trying things out.",
       .result = "the same",
       .takes_anything = true},
      {.name = "exec",
       .about = "Run a command.",
       .result = "`exit_code`, `stdout`, `stderr`; what is long as an artifact, too",
       .arguments = {{"argv", kTexts, "the program and its arguments", false, {}, 1, 65536},
                     {"shell", kText, "one line for /bin/sh instead", false, {}, 1, kTextMax},
                     {"stdin", kBytes, "its standard input, text or bytes", false, {}, 0, kTextMax},
                     {"env",
                      kTextMap,
                      "variables added to HOME, PATH, LANG, EOLE_TASK_ID and the like",
                      false,
                      {},
                      0,
                      4096},
                     {"cwd", kText, "directory to run in [a fresh one]", false, {}, 1, 4095},
                     timeout_of("seconds; then it is ended with all it started; 0: none"),
                     {"term_grace", kNumber, "seconds from SIGTERM to SIGKILL, when it is ended",
                      false, "3", 0, 3600},
                     {"output_max", kInteger, "bytes of output kept of each stream", false,
                      "67108864", 0, 1 << 30}},
       .one_of = {"argv", "shell"},
       .needs_exec = true},
      {.name = "image",
       .about = "Compress a JPEG or PNG, and make it smaller if asked.",
       .result = "a JPEG as an artifact, upright and in sRGB; the input (`kept`) if it would grow",
       .arguments = {{"artifact", kText, "the picture: an artifact's SHA-256", false, {}, 64, 64},
                     {"url", kText, "the picture: where to fetch it", false, {}, 1, 65536},
                     {"data", kBytes, "the picture itself", false, {}, 1, kTextMax},
                     {"name", kText, "the artifact's name", false, {}, 1, kNameMax},
                     {"quality", kInteger, "of the JPEG", false, "85", 1, 100},
                     {"width", kInteger,
                      "pixels at most, as it is shown; the shape is kept; 0: any", false, "0", 0,
                      16384},
                     {"height", kInteger, "the same", false, "0", 0, 16384}},
       .per_word = "artifact",
       .one_of = {"artifact", "url", "data"}},
      {.name = "nqueens",
       .about = "Count the ways to put n queens on a board.",
       .result = "`solutions`",
       .arguments = {{"n", kInteger, "queens", true, {}, 1, 24},
                     {"prefix", kIntegers, "columns of the queens in the first rows", false, "[]",
                      0, 24}},
       .per_word = "n"},
      {.name = "sleep",
       .about = "Wait. For trying things out.",
       .result = "the same",
       .arguments = {{"seconds", kNumber, "how long", true, {}, 0, kSecondsMax}},
       .per_word = "seconds"},
  };
  return kinds;
}

const Kind* find(std::string_view name) {
  for (const auto& kind : all())
    if (kind.name == name) return &kind;
  return nullptr;
}

}  // namespace eole::kinds
