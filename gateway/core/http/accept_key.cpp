#include "common/base/base64.hpp"
#include "common/process/hash.hpp"
#include "gateway/core/http/websocket.hpp"

namespace eole::gateway::http {

// RFC 6455, section 4.2.2. It proves nothing but that WebSocket is spoken.
std::string accept_key(std::string_view key) {
  process::Hash hash(process::Hash::Of::kSha1);
  hash.add(key);
  hash.add("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
  return to_base64(hash.digest());
}

bool is_key(std::string_view key) {
  const auto bytes = from_base64(key);
  return bytes && bytes->size() == 16;
}

}  // namespace eole::gateway::http
