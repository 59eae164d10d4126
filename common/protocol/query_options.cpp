#include "common/protocol/query_options.hpp"

#include "common/base/text.hpp"

namespace eole::protocol {

Expected<Value> options_of(const Query& query) {
  if (query.payload.size() > kOptionsBytesMax)
    return Error{text("query ", query.what, ": ", query.payload.size(), " bytes of options, limit ",
                      kOptionsBytesMax)};
  if (query.payload.empty()) return Value();
  auto options = Value::from_msgpack(query.payload);
  if (!options) return Error{text("query ", query.what, ": ", options.error().message)};
  return options;
}

}  // namespace eole::protocol
