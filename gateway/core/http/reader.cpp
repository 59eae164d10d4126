#include "gateway/core/http/reader.hpp"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <charconv>
#include <limits>
#include <utility>

#include "common/base/text.hpp"
#include "gateway/core/http/letters.hpp"

namespace eole::gateway::http {

namespace beast = boost::beast;

namespace {

constexpr std::size_t kMethodBytesMax = 32;
constexpr std::size_t kLastChunkBytesMin = 5;  // "0", CR, LF, CR and LF.

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

std::optional<std::uint64_t> parse_length(std::string_view digits) {
  std::uint64_t length = 0;
  const auto* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, length);
  return error == std::errc{} && stop == end ? std::optional(length) : std::nullopt;
}

bool is_host(std::string_view host) {
  return !host.empty() && host.find_first_of("/@,?# \t\\") == std::string_view::npos;
}

}  // namespace

// Beast finds lines, names and chunks; what frames a message is judged here, field by field.
class RequestReader::Parser final : public beast::http::basic_parser<true> {
 public:
  Parser() {
    header_limit(static_cast<std::uint32_t>(kRequestHeadBytesMax));
    body_limit(std::numeric_limits<std::uint64_t>::max());
  }

  Request request;
  std::string body;
  bool is_head_taken = false;
  bool is_line_skipped = false;
  std::size_t head_bytes = 0;
  std::optional<Problem> problem;

  /// Between chunks, where at least a last one is to come. Beast must not be shown less: it stops
  /// the program if it is shown an unfinished last chunk of fewer bytes twice.
  bool needs_more(std::size_t bytes) const {
    return is_chunked_ && is_header_done() && chunk_left_ == 0 && bytes < kLastChunkBytesMin;
  }

 private:
  using error_code = beast::error_code;
  using string_view = beast::string_view;

  void refuse(error_code& ec, int status, std::string detail) {
    problem.emplace(status, std::move(detail));
    ec = beast::http::error::bad_value;
  }

  void on_request_impl(beast::http::verb, string_view method, string_view target, int version,
                       error_code& ec) override {
    if (method.size() > kMethodBytesMax)
      return refuse(ec, 501, text("method of ", method.size(), " bytes, limit ", kMethodBytesMax));
    request.method = view(method);
    request.target = view(target);
    is_11_ = version == 11;
    if (version != 10 && version != 11)
      return refuse(ec, 505, "the version is neither HTTP/1.1 nor HTTP/1.0");
    if (request.target != "*" && !request.target.starts_with('/')) take_host_of_target();
    if (request.target == "*" ? request.method != "OPTIONS" : !request.target.starts_with('/'))
      refuse(ec, 400, text("target: ", request.target, ": wanted is a path that begins with /"));
  }

  // "http://HOST/PATH", as proxies write it, means PATH (RFC 9112, section 3.2.2).
  void take_host_of_target() {
    constexpr std::string_view kScheme = "http://";
    const std::string_view target = request.target;
    if (lower(target.substr(0, kScheme.size())) != kScheme) return;
    const auto rest = target.substr(kScheme.size());
    const auto end = std::min(rest.find_first_of("/?"), rest.size());
    if (!is_host(rest.substr(0, end))) return;
    host_of_target_ = rest.substr(0, end);
    const auto path = rest.substr(end);
    request.target = text(path.starts_with('/') ? "" : "/", path);
  }

  void on_response_impl(int, string_view, int, error_code&) override {}

  void on_field_impl(beast::http::field, string_view name_written, string_view value_written,
                     error_code& ec) override {
    if (is_header_done()) return refuse(ec, 400, "fields after the body are not taken");
    if (request.fields.size() == kRequestFieldsMax)
      return refuse(ec, 431, text("more than ", kRequestFieldsMax, " fields"));
    const auto name = lower(view(name_written));
    const auto value = view(value_written);
    const bool is_again = !request.field(name).empty();
    if (name == "host") {
      if (has_host_) return refuse(ec, 400, "two fields Host");
      if (!is_host(value)) return refuse(ec, 400, text("Host: ", value, ": is no host"));
      has_host_ = true;
    } else if (name == "authorization") {  // Whoever is in front may have read the other one.
      if (std::exchange(has_authorization_, true))
        return refuse(ec, 400, "two fields Authorization");
    } else if (name == "content-length") {
      if (is_again || has_length_) return refuse(ec, 400, "two fields Content-Length");
      has_length_ = true;
      request.length = parse_length(value);
      if (!request.length)
        return refuse(ec, 400, text("Content-Length: ", value, ": is no number"));
    } else if (name == "transfer-encoding") {
      if (is_chunked_ || lower(value) != "chunked" || !is_11_)
        return refuse(ec, 400, text("Transfer-Encoding: ", value, ": only chunked of HTTP/1.1 is"));
      is_chunked_ = true;
    } else if (name == "expect") {
      if (lower(value) != "100-continue")
        return refuse(ec, 417, text("Expect: ", value, ": only 100-continue is known"));
      request.expects_continue = is_11_;
    }
    if (is_chunked_ && has_length_)
      return refuse(ec, 400, "both Content-Length and Transfer-Encoding");
    request.fields.push_back({name, std::string(value)});
  }

  void on_header_impl(error_code& ec) override {
    if (is_11_ && !has_host_) return refuse(ec, 400, "no field Host");
    if (!host_of_target_.empty() && lower(request.field("host")) != lower(host_of_target_))
      return refuse(ec, 400, text("Host: ", request.field("host"), ": is not the target's"));
    if (is_chunked_) request.length.reset();
    request.knows_chunks = is_11_;
    request.keeps_alive = keep_alive() && is_11_;
  }
  void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code&) override {}

  std::size_t on_body_impl(string_view piece, error_code&) override {
    body.append(piece.data(), piece.size());
    return piece.size();
  }
  void on_chunk_header_impl(std::uint64_t size, string_view extensions, error_code& ec) override {
    if (!extensions.empty()) return refuse(ec, 400, "chunks have no extensions here");
    chunk_left_ = size;
    chunk_bytes_ += 12;
    if (chunk_bytes_ > kChunkHeaderBytesMax)
      refuse(ec, 400, text("over ", kChunkHeaderBytesMax, " bytes of chunk headers"));
  }
  std::size_t on_chunk_body_impl(std::uint64_t, string_view piece, error_code&) override {
    body.append(piece.data(), piece.size());
    // Small chunks cost what they are: a header for each.
    chunk_bytes_ -= std::min(chunk_bytes_, piece.size() / 64);
    chunk_left_ -= piece.size();
    return piece.size();
  }
  void on_finish_impl(error_code&) override {}

  bool is_11_ = true;
  bool has_host_ = false;
  bool has_authorization_ = false;
  std::string host_of_target_;
  bool has_length_ = false;
  bool is_chunked_ = false;
  std::size_t chunk_bytes_ = 0;
  std::uint64_t chunk_left_ = 0;
};

RequestReader::RequestReader() : parser_(std::make_unique<Parser>()) {}
RequestReader::~RequestReader() = default;
RequestReader::RequestReader(RequestReader&&) noexcept = default;
RequestReader& RequestReader::operator=(RequestReader&&) noexcept = default;

std::size_t RequestReader::feed(std::string_view bytes) {
  std::size_t taken = 0;
  if (!parser_->got_some() && !parser_->is_line_skipped && bytes.starts_with('\r')) {
    if (bytes.size() == 1) return 0;
    if (bytes[1] == '\n') taken = 2;  // One empty line before a request (RFC 9112, section 2.2).
    parser_->is_line_skipped = true;
  }
  while (taken < bytes.size() && !parser_->is_done() && !has_head()) {
    beast::error_code ec;
    const auto rest = bytes.substr(taken);
    if (parser_->needs_more(rest.size())) break;
    const bool is_head = !parser_->is_header_done();
    const auto count = parser_->put(boost::asio::const_buffer(rest.data(), rest.size()), ec);
    taken += count;
    if (is_head) parser_->head_bytes += count;
    if (parser_->head_bytes > kRequestHeadBytesMax)
      throw Problem(431, text("a head of over ", kRequestHeadBytesMax, " bytes"));
    if (parser_->problem) throw *parser_->problem;
    if (ec == beast::http::error::need_more || (!ec && count == 0)) break;
    if (ec == beast::http::error::header_limit)
      throw Problem(431, text("a head of over ", kRequestHeadBytesMax, " bytes"));
    if (ec == beast::http::error::bad_version)
      throw Problem(505, "the version is neither HTTP/1.1 nor HTTP/1.0");
    if (ec) throw Problem(400, "no sound request: " + ec.message());
  }
  // What is not taken is a line without an end: of the head, of a chunk's size, of a trailer.
  if (!parser_->is_done() && !has_head() && bytes.size() - taken > kRequestHeadBytesMax)
    throw Problem(parser_->is_header_done() ? 400 : 431,
                  text("a line of over ", kRequestHeadBytesMax, " bytes"));
  return taken;
}

bool RequestReader::has_head() const {
  return parser_->is_header_done() && !parser_->is_head_taken;
}

Request RequestReader::take_head() {
  parser_->is_head_taken = true;
  auto request = std::move(parser_->request);
  if (auto split = split_target(request); !split) throw Problem(400, split.error().message);
  return request;
}

std::string RequestReader::take_body() { return std::exchange(parser_->body, {}); }

bool RequestReader::is_done() const { return parser_->is_done() && parser_->is_head_taken; }

void RequestReader::next_request() { parser_ = std::make_unique<Parser>(); }

bool RequestReader::is_begun() const { return parser_->got_some() && !is_done(); }

}  // namespace eole::gateway::http
