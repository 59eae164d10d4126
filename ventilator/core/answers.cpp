#include "ventilator/core/answers.hpp"

#include <algorithm>

namespace eole::ventilator {

std::optional<Answered> Answers::find(RunId run, std::uint64_t request) const {
  const auto client = clients_.find(run);
  if (client == clients_.end()) return std::nullopt;
  const auto& answered = client->second.answered;
  if (answered.empty() || answered.back().first < request) return std::nullopt;
  const auto* found = answered.find(request);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

bool Answers::is_confirmed(RunId run, std::uint64_t request) const {
  const auto client = clients_.find(run);
  return client != clients_.end() && request <= client->second.confirmed;
}

std::size_t Answers::unconfirmed(RunId run) const {
  const auto client = clients_.find(run);
  return client == clients_.end() ? 0 : client->second.answered.size();
}

void Answers::add(RunId run, std::uint64_t request, std::uint64_t confirmed, Answered answer,
                  TimePoint now) {
  auto& client = clients_[run];
  auto& answered = client.answered;
  client.seen = now;
  client.confirmed = std::max(client.confirmed, confirmed);
  requests_ -= answered.size();
  while (!answered.empty() && answered.front().first <= client.confirmed) answered.pop_front();
  if (request > client.confirmed) answered.put(request, answer);
  requests_ += answered.size();
}

void Answers::forget_before(TimePoint time) {
  for (auto client = clients_.begin(); client != clients_.end();) {
    const bool is_old = client->second.seen < time;
    if (is_old) requests_ -= client->second.answered.size();
    client = is_old ? clients_.erase(client) : std::next(client);
  }
  keys_.forget_before(time);
}

void Answers::take_for_new(TimePoint now) {
  for (auto& [run, client] : clients_) client.seen = now;
  keys_.take_for_new(now);
}

void Answers::save(SavePlace& place, Bytes& out) const {
  if (place.part == Part::kRequests) save_requests(place, out);
  if (place.part == Part::kKeys) keys_.save(place, out);
}

// Each entry says whose it is: run, confirmed, request, first, count. A client whose requests are
// all confirmed has one entry of no tasks.
void Answers::save_requests(SavePlace& place, Bytes& out) const {
  for (auto client = clients_.lower_bound(place.number); client != clients_.end(); ++client) {
    if (client->first != place.number) place.within = 0;
    place.number = client->first;
    const auto put_entry = [&](std::uint64_t request, const Answered& answered) {
      put<std::uint64_t>(out, client->first);
      put<std::uint64_t>(out, client->second.confirmed);
      put<std::uint64_t>(out, request);
      put<std::uint64_t>(out, answered.first);
      put<std::uint32_t>(out, answered.count);
      place.within = request + 1;
    };
    const auto& answered = client->second.answered;
    if (answered.empty() && place.within == 0) {
      if (out.size() + kRequestBytes > kPartBytesMax) return;
      put_entry(client->second.confirmed, {});
    }
    for (auto entry = answered.from(place.within); entry != answered.end(); ++entry) {
      if (out.size() + kRequestBytes > kPartBytesMax) return;
      put_entry(entry->first, entry->second);
    }
  }
  if (out.empty()) return;
  place.within = UINT64_MAX;  // Of the last one nothing is left.
}

bool Answers::load(Part part, std::string_view payload) {
  return part == Part::kKeys ? keys_.load(payload) : load_requests(payload);
}

bool Answers::load_requests(std::string_view payload) {
  ByteReader reader(payload);
  while (reader.ok() && !reader.is_done()) {
    const auto run = reader.get<std::uint64_t>();
    const auto confirmed = reader.get<std::uint64_t>();
    const auto request = reader.get<std::uint64_t>();
    Answered answer;
    answer.first = reader.get<std::uint64_t>();
    answer.count = reader.get<std::uint32_t>();
    if (reader.ok()) add(run, request, confirmed, answer, {});
  }
  return reader.ok();
}

}  // namespace eole::ventilator
