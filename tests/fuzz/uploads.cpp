#include <cstdint>
#include <cstdlib>

#include "common/base/utf8.hpp"
#include "gateway/core/http/file_names.hpp"
#include "gateway/core/http/ranges.hpp"
#include "gateway/core/tus.hpp"
#include "gateway/core/upload.hpp"
#include "tests/fuzz/allocation_limit.hpp"

namespace {

using namespace eole;
using namespace eole::gateway;

void need(bool holds) {
  if (!holds) std::abort();
}

// Lines "name: value" as the fields of a request, up to an empty one.
http::Request request_of(std::string_view bytes, std::string method) {
  http::Request request{.method = std::move(method), .target = "/uploads", .fields = {}};
  while (!bytes.empty()) {
    const auto line = bytes.substr(0, bytes.find('\n'));
    bytes.remove_prefix(std::min(line.size() + 1, bytes.size()));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) break;
    request.fields.push_back(
        {std::string(line.substr(0, colon)), std::string(line.substr(colon + 1))});
  }
  request.length = bytes.size();
  return request;
}

template <class Act>
void refused_or(Act act) {
  try {
    act();
  } catch (const http::Problem& problem) {
    need(problem.status >= 400 && problem.status < 500);
  }
}

void tus_of(std::string_view bytes) {
  refused_or([&] { tus::check_version(request_of(bytes, "HEAD")); });
  refused_or([&] {
    auto upload = tus::read_creation(request_of(bytes, "POST"), 0);
    need(upload.length.value_or(0) <= tus::kUploadBytesMax);
    need(upload.parts.size() <= tus::kUploadPartsMax);
    tus::put_together(upload, std::vector<tus::Upload>(upload.parts.size()));
  });
  for (const auto length : {std::optional<std::uint64_t>(100), std::optional<std::uint64_t>()})
    refused_or([&] {
      const tus::Upload upload{.id = "x", .length = length, .offset = 50};
      const auto write = tus::read_write(request_of(bytes, "PATCH"), upload);
      need(write.bytes_max + upload.offset == write.length.value_or(tus::kUploadBytesMax));
    });
}

}  // namespace

// What clients write of files: the first byte says which reader takes the rest.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const bool is_value = data[0] % 8 == 5;  // Our own file's. Parsed, an element takes 40 bytes.
  const fuzz::AllocationLimit limit(is_value ? 6 * size : size);
  switch (data[0] % 4) {
    case 0:
      tus_of(bytes);
      break;
    case 1:
      if (!is_value)
        (void)tus::parse_metadata(bytes);
      else if (const auto value = protocol::Value::from_msgpack(bytes))
        (void)tus::from_value("x", *value);
      break;
    case 2:
      for (const std::uint64_t of : {0ULL, 1ULL, 1000ULL, ~0ULL})
        if (const auto ranges = http::wanted_ranges(bytes, of))
          for (const auto& range : *ranges) need(range.first <= range.last && range.last < of);
      (void)http::names_etag(bytes, "\"a\"");
      break;
    case 3: {
      const auto name = http::safe_file_name(bytes);
      need(name.size() <= http::kFileNameBytesMax && is_utf8(name));
      need(name.find_first_of(std::string_view("/\\\0\r\n\"", 6)) == std::string::npos);
      need(name.empty() || (name.front() != '.' && name == http::safe_file_name(name)));
      need(http::attachment(bytes).find_first_of("\r\n") == std::string::npos);
      (void)task_in_name(bytes);
      break;
    }
  }
  return 0;
}
