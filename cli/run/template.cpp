#include "cli/run/template.hpp"

#include <algorithm>
#include <array>

#include "common/base/text.hpp"

namespace eole::cli {

namespace {

constexpr std::string_view kPlain =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./,:=+@%^";

bool is_plain(char letter) {
  return (static_cast<unsigned char>(letter) & 0x80U) != 0 ||
         kPlain.find(letter) != std::string_view::npos;
}

// What only a shell does, though it is a plain word.
constexpr std::array<std::string_view, 49> kOfShells{
    ".",      "alias",   "bg",   "break", "builtin", "case",     "cd",       "command", "continue",
    "coproc", "declare", "do",   "done",  "elif",    "else",     "esac",     "eval",    "exec",
    "exit",   "export",  "fc",   "fg",    "fi",      "for",      "function", "getopts", "hash",
    "if",     "jobs",    "let",  "local", "read",    "readonly", "return",   "select",  "set",
    "shift",  "source",  "then", "times", "trap",    "type",     "ulimit",   "umask",   "unalias",
    "unset",  "until",   "wait", "while"};

std::string_view base_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view stem_of(std::string_view path) {
  const auto dot = path.rfind('.');
  return dot == std::string_view::npos || path.find('/', dot) != std::string_view::npos
             ? path
             : path.substr(0, dot);
}

std::string_view directory_of(std::string_view path) {
  const auto end = path.find_last_not_of('/');
  if (end == std::string_view::npos) return path.empty() ? "." : "/";
  const auto slash = path.substr(0, end + 1).rfind('/');
  if (slash == std::string_view::npos) return ".";
  const auto last = path.substr(0, slash).find_last_not_of('/');
  return last == std::string_view::npos ? "/" : path.substr(0, last + 1);
}

}  // namespace

std::string joined(const JobInputs& inputs) {
  std::string out;
  for (const auto& each : inputs.texts) out += (&each == inputs.texts.data() ? "" : " ") + each;
  return out;
}

std::string quoted(std::string_view value) {
  if (value.empty()) return "''";
  std::string out;
  for (const char letter : value) {
    if (letter == '\n') {
      out += "'\n'";
      continue;
    }
    if (!is_plain(letter)) out += '\\';
    out += letter;
  }
  return out;
}

std::optional<Template::Piece> Template::place_at(std::string_view written, std::size_t& at) {
  const auto end = written.find('}', at);
  if (written[at] != '{' || end == std::string_view::npos) return std::nullopt;
  auto inner = written.substr(at + 1, end - at - 1);
  Piece piece{.is_place = true};
  constexpr std::size_t kDigitsMax = 4;
  const auto digits = std::min(inner.find_first_not_of("0123456789"), inner.size());
  if (digits > kDigitsMax || (digits > 0 && inner[0] == '0')) return std::nullopt;
  for (const char digit : inner.substr(0, digits))
    piece.source = piece.source * 10 + static_cast<std::size_t>(digit - '0');
  inner.remove_prefix(digits);
  if (inner == "#" && digits == 0)
    piece.what = What::kNumber;
  else if (inner == ".")
    piece.what = What::kStem;
  else if (inner == "/")
    piece.what = What::kBase;
  else if (inner == "//")
    piece.what = What::kDirectory;
  else if (inner == "/.")
    piece.what = What::kBaseStem;
  else if (!inner.empty())
    return std::nullopt;
  at = end + 1;
  return piece;
}

/// Knows at each place whether the shell would be in quotes there.
class Template::Parser {
 public:
  Parser(std::string_view written, bool has_places) : rest_(written), has_places_(has_places) {}

  Expected<Template> parse() {
    for (std::size_t at = 0; at < rest_.size();) {
      if (auto place = has_places_ ? place_at(rest_, at) : std::nullopt) {
        if (top() == '`')
          return Error{"a place for an input in backquotes: write $(…) instead of them"};
        place->context = context();
        out_.has_places_ = true;
        out_.highest_source_ = std::max(out_.highest_source_, place->source);
        add_to_word(*place);
        out_.pieces_.push_back(std::move(*place));
      } else {
        letter(at);
      }
    }
    end_word();
    if (open_.size() > 1 || !names_a_program()) out_.words_.clear();
    return std::move(out_);
  }

 private:
  char top() const { return open_.back(); }
  Context context() const {
    return top() == '\'' ? Context::kSingle : top() == '"' ? Context::kDouble : Context::kBare;
  }
  void put(std::size_t& at, std::size_t count = 1) {
    if (out_.pieces_.empty() || out_.pieces_.back().is_place) out_.pieces_.push_back({});
    out_.pieces_.back().literal += rest_.substr(at, count);
    at += count;
  }
  void letter(std::size_t& at) {
    const char now = rest_[at];
    const bool is_bare = top() == 'b' || top() == '(';
    if (top() == '\'') {
      now == '\'' ? open_.pop_back() : add_to_word(now);
    } else if (now == '\\') {
      needs_shell_ = true;
      return put(at, 2);  // What is behind it means nothing.
    } else if (now == '$' && at + 1 < rest_.size() && rest_[at + 1] == '(') {
      needs_shell_ = true;
      open_.push_back('(');
      return put(at, 2);
    } else if (now == '`') {
      needs_shell_ = true;
      top() == '`' ? open_.pop_back() : open_.push_back('`');
    } else if (top() == '"') {
      if (now == '"')
        open_.pop_back();
      else if (now == '$')
        needs_shell_ = true;
      else
        add_to_word(now);
    } else if (is_bare && (now == '\'' || now == '"')) {
      open_.push_back(now);
      is_word_ = true;
    } else if (now == ' ' || now == '\t') {
      end_word();
    } else if (is_bare && is_plain(now)) {
      has_equals_ = has_equals_ || (out_.words_.empty() && now == '=');
      add_to_word(now);
    } else {
      needs_shell_ = true;
      if (now == '(' && is_bare) open_.push_back('(');
      if (now == ')' && top() == '(') open_.pop_back();
    }
    put(at);
  }
  void add_to_word(char now) {
    is_word_ = true;
    if (word_.empty() || word_.back().is_place) word_.push_back({});
    word_.back().literal += now;
  }
  void add_to_word(const Piece& place) {
    is_word_ = true;
    word_.push_back(place);
  }
  void end_word() {
    if (is_word_) out_.words_.push_back(std::exchange(word_, {}));
    is_word_ = false;
  }
  bool names_a_program() const {
    if (needs_shell_ || has_equals_ || out_.words_.empty()) return false;
    const auto& first = out_.words_.front();
    return first.size() == 1 && !first[0].is_place &&
           std::find(kOfShells.begin(), kOfShells.end(), first[0].literal) == kOfShells.end();
  }

  std::string_view rest_;
  bool has_places_;
  Template out_;
  std::vector<char> open_{'b'};  // Quotes, and brackets of commands, from the outermost on.
  std::vector<Piece> word_;
  bool is_word_ = false;
  bool has_equals_ = false;  // The first word assigns.
  bool needs_shell_ = false;
};

Expected<Template> Template::parse(std::string_view written) {
  return Parser(written, true).parse();
}

Template Template::of_line(std::string_view line) { return *Parser(line, false).parse(); }

std::vector<std::string> Template::values(const Piece& piece, const JobInputs& inputs) {
  if (piece.what == What::kNumber) return {std::to_string(inputs.number)};
  std::vector<std::string> out;
  for (std::size_t i = 0; i < inputs.texts.size(); ++i) {
    if (piece.source != 0 && piece.source != i + 1) continue;
    const std::string_view text = inputs.texts[i];
    switch (piece.what) {
      case What::kStem:
        out.emplace_back(stem_of(text));
        break;
      case What::kBase:
        out.emplace_back(base_of(text));
        break;
      case What::kDirectory:
        out.emplace_back(directory_of(text));
        break;
      case What::kBaseStem:
        out.emplace_back(stem_of(base_of(text)));
        break;
      default:
        out.emplace_back(text);
    }
  }
  return out;
}

// In quotes: they are closed before it, and opened again behind it.
std::string Template::line(const JobInputs& inputs) const {
  std::string out;
  for (const auto& piece : pieces_) {
    if (!piece.is_place) {
      out += piece.literal;
      continue;
    }
    const auto list = values(piece, inputs);
    std::string value;
    if (piece.context == Context::kBare) {
      for (const auto& each : list) value += (value.empty() ? "" : " ") + quoted(each);
      out += value;
    } else {
      for (std::size_t i = 0; i < list.size(); ++i) value += (i == 0 ? "" : " ") + list[i];
      const auto* mark = piece.context == Context::kSingle ? "'" : "\"";
      out += text(mark, quoted(value), mark);
    }
  }
  return out;
}

std::optional<std::vector<std::string>> Template::argv(const JobInputs& inputs) const {
  if (words_.empty()) return std::nullopt;
  std::vector<std::string> out;
  for (const auto& word : words_) {
    out.emplace_back();
    for (const auto& piece : word) {
      out.back() += piece.literal;
      if (!piece.is_place) continue;
      const auto list = values(piece, inputs);
      for (std::size_t i = 0; i < list.size(); ++i) {
        if (i > 0 && piece.context == Context::kBare)
          out.emplace_back();  // Of several sources, a word each.
        else if (i > 0)
          out.back() += ' ';
        out.back() += list[i];
      }
    }
  }
  return out;
}

std::string Template::plain(const JobInputs& inputs) const {
  std::string out;
  for (const auto& piece : pieces_) {
    out += piece.literal;
    if (!piece.is_place) continue;
    const auto list = values(piece, inputs);
    for (std::size_t i = 0; i < list.size(); ++i) out += (i == 0 ? "" : " ") + list[i];
  }
  return out;
}

}  // namespace eole::cli
