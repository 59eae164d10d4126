#include "gateway/io/exchange.hpp"

#include "common/base/text.hpp"

namespace eole::gateway {

awaitable<std::string> Exchange::read_all(std::size_t most) {
  const auto too_large = [&] {
    return http::Problem(413, text("the body has over ", most, " bytes, the limit"));
  };
  if (request.length && *request.length > most) throw too_large();
  std::string all;
  while (true) {
    const auto piece = co_await read();
    if (piece.empty()) co_return all;
    if (all.size() + piece.size() > most) throw too_large();
    all += piece;
  }
}

std::string Exchange::by() const {
  return text(caller.name.empty() ? "the owner" : caller.name, " from ", address, ", request ",
              request_id);
}

}  // namespace eole::gateway
