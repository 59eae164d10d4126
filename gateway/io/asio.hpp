#pragma once
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <utility>

namespace eole::gateway {

namespace asio = boost::asio;
using asio::awaitable;

/// Waits for what is told later, once, in the same thread: `start` is called with a function that
/// takes the T. Who told it goes on first.
template <class T, class Start>
awaitable<T> told_later(Start start) {
  const auto executor = co_await asio::this_coro::executor;
  co_return co_await asio::async_initiate<decltype(asio::use_awaitable), void(T)>(
      [executor, &start](auto handler) {
        auto waiting = std::make_shared<decltype(handler)>(std::move(handler));
        start([executor, waiting](T value) {
          asio::post(executor, [waiting, value = std::move(value)]() mutable {
            std::move (*waiting)(std::move(value));
          });
        });
      },
      asio::use_awaitable);
}

}  // namespace eole::gateway
