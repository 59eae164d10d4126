// The ceiling: the ring's four hops with raw libzmq and nothing done. A client pushes messages to
// a ventilator, that hands them to two workers in turn, they to a sink, that to a subscriber; each
// is a process of its own, over ipc, and passes on what it got.
//   eole-bench-raw COUNT BATCH BYTES    records a second; BATCH records of BYTES in each message
//   eole-bench-raw lone COUNT BYTES     one message at a time: microseconds from end to end
// Prints one JSON object.
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>
#include <zmq.hpp>

namespace {

using Clock = std::chrono::steady_clock;

zmq::socket_t open(zmq::context_t& context, zmq::socket_type type, const std::string& endpoint,
                   bool binds) {
  zmq::socket_t socket(context, type);
  socket.set(zmq::sockopt::linger, 0);
  binds ? socket.bind(endpoint) : socket.connect(endpoint);
  return socket;
}

void run_as_process(const std::function<void()>& stage) {
  if (::fork() != 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // It ends with the one that measures.
  stage();
  std::_Exit(0);
}

// Passes every message from one socket to the others in turn, for ever.
void pass_on(zmq::socket_t from, std::vector<zmq::socket_t> to) {
  for (std::size_t turn = 0;; ++turn) {
    zmq::message_t message;
    if (!from.recv(message)) return;
    to[turn % to.size()].send(message, zmq::send_flags::none);
  }
}

double micros(Clock::time_point since) {
  return std::chrono::duration<double, std::micro>(Clock::now() - since).count();
}

}  // namespace

int main(int argc, char** argv) {
  const bool is_lone = argc > 1 && std::string(argv[1]) == "lone";
  const auto number = [&](int at, std::uint64_t preset) {
    return argc > at ? std::strtoull(argv[at], nullptr, 10) : preset;
  };
  const auto count = number(is_lone ? 2 : 1, is_lone ? 2000 : 4'000'000);
  const auto batch = is_lone ? 1 : number(2, 256);
  const auto bytes = number(3, 130) * batch;

  char path[] = "/tmp/eole-raw-XXXXXX";
  const std::string directory = ::mkdtemp(path);
  const auto at = [&](const std::string& name) { return "ipc://" + directory + "/" + name; };
  using Type = zmq::socket_type;
  run_as_process([&] {
    zmq::context_t context;
    std::vector<zmq::socket_t> pipes;
    for (const auto* name : {"pipe0", "pipe1"})
      pipes.push_back(open(context, Type::push, at(name), true));
    pass_on(open(context, Type::pull, at("ventilator"), true), std::move(pipes));
  });
  for (const std::string name : {"pipe0", "pipe1"})
    run_as_process([&, name] {
      zmq::context_t context;
      std::vector<zmq::socket_t> results;
      results.push_back(open(context, Type::push, at("results"), false));
      pass_on(open(context, Type::pull, at(name), false), std::move(results));
    });
  run_as_process([&] {
    zmq::context_t context;
    std::vector<zmq::socket_t> subscribers;
    subscribers.push_back(open(context, Type::push, at("subscriber"), false));
    pass_on(open(context, Type::pull, at("results"), true), std::move(subscribers));
  });

  zmq::context_t context;
  auto news = open(context, Type::pull, at("subscriber"), true);
  const auto messages = std::max<std::uint64_t>(1, count / batch);
  const std::string body(bytes, 'x');
  if (!is_lone)
    run_as_process([&] {  // The client. Its context is its own.
      zmq::context_t client_context;
      auto client = open(client_context, Type::push, at("ventilator"), false);
      for (std::uint64_t i = 0; i < messages + 8; ++i)
        client.send(zmq::buffer(body), zmq::send_flags::none);
      ::pause();
    });
  zmq::message_t message;
  if (is_lone) {
    auto client = open(context, Type::push, at("ventilator"), false);
    std::vector<double> took;
    for (std::uint64_t i = 0; i < count + 100; ++i) {
      const auto start = Clock::now();
      client.send(zmq::buffer(body), zmq::send_flags::none);
      if (!news.recv(message)) return 3;
      if (i >= 100) took.push_back(micros(start));
    }
    std::sort(took.begin(), took.end());
    std::printf("{\"messages\":%zu,\"p50_us\":%.0f,\"p99_us\":%.0f}\n", took.size(),
                took[took.size() / 2], took[took.size() * 99 / 100]);
  } else {
    for (int i = 0; i < 8; ++i)  // All connections stand.
      if (!news.recv(message)) return 3;
    const auto start = Clock::now();
    for (std::uint64_t i = 0; i < messages; ++i)
      if (!news.recv(message)) return 3;
    const auto seconds = micros(start) / 1e6;
    const auto records = static_cast<double>(messages * batch);
    std::printf("{\"records\":%.0f,\"batch\":%llu,\"bytes\":%llu,\"records_per_second\":%.0f}\n",
                records, static_cast<unsigned long long>(batch),
                static_cast<unsigned long long>(bytes / batch), records / seconds);
  }
  std::filesystem::remove_all(directory);
  return 0;
}
