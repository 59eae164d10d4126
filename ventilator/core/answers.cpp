#include "ventilator/core/answers.hpp"

#include <algorithm>
#include <functional>

namespace eole::ventilator {

namespace {

std::uint64_t hash_of(std::string_view key) { return std::hash<std::string_view>{}(key); }

// Text sizes, first, count.
std::size_t bytes_of(const KeyAnswered& answer) {
  return 4 + answer.key.size() + 4 + answer.hash.size() + 8 + 4;
}

void put_text(Bytes& out, std::string_view text) {
  put<std::uint32_t>(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

}  // namespace

const std::uint64_t* Answers::number_of(const std::string& key) const {
  const auto hash = hash_of(key);
  const auto [begin, end] = numbers_[hash % kShards].equal_range(hash);
  for (auto at = begin; at != end; ++at)
    if (keys_[at->second - first_key_].key == key) return &at->second;
  return nullptr;
}

const KeyAnswered* Answers::find(const std::string& key) const {
  const auto* number = number_of(key);
  return number == nullptr ? nullptr : &keys_[*number - first_key_];
}

const Answered* Answers::find(RunId run, std::uint64_t request) const {
  const auto client = clients_.find(run);
  if (client == clients_.end()) return nullptr;
  const auto& answered = client->second.answered;
  if (answered.empty() || answered.back().first < request) return nullptr;
  return answered.find(request);
}

bool Answers::is_confirmed(RunId run, std::uint64_t request) const {
  const auto client = clients_.find(run);
  return client != clients_.end() && request <= client->second.confirmed;
}

std::size_t Answers::unconfirmed(RunId run) const {
  const auto client = clients_.find(run);
  return client == clients_.end() ? 0 : client->second.answered.size();
}

void Answers::add(KeyAnswered answer) {
  if (const auto* number = number_of(answer.key)) {  // A snapshot says it again.
    auto& known = keys_[*number - first_key_];
    key_bytes_ -= bytes_of(known);
    known = std::move(answer);
    key_bytes_ += bytes_of(known);
    return;
  }
  const auto hash = hash_of(answer.key);
  shard_of(hash).emplace(hash, first_key_ + keys_.size());
  key_bytes_ += bytes_of(answer);
  keys_.push_back(std::move(answer));
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
  for (; !keys_.empty() && keys_.front().seen < time; keys_.pop_front(), ++first_key_) {
    const auto hash = hash_of(keys_.front().key);
    auto& shard = shard_of(hash);
    const auto [begin, end] = shard.equal_range(hash);
    shard.erase(std::find_if(begin, end, [&](auto& each) { return each.second == first_key_; }));
    key_bytes_ -= bytes_of(keys_.front());
  }
}

void Answers::take_for_new(TimePoint now) {
  for (auto& [run, client] : clients_) client.seen = now;
  for (auto& key : keys_) key.seen = now;
}

void Answers::save(SavePlace& place, Bytes& out) const {
  if (place.part == Part::kRequests) save_requests(place, out);
  if (place.part == Part::kKeys) save_keys(place, out);
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

void Answers::save_keys(SavePlace& place, Bytes& out) const {
  place.number = std::max(place.number, first_key_);
  for (; place.number < first_key_ + keys_.size(); ++place.number) {
    const auto& key = keys_[place.number - first_key_];
    if (!out.empty() && out.size() + bytes_of(key) > kPartBytesMax) return;
    put_text(out, key.key);
    put_text(out, key.hash);
    put<std::uint64_t>(out, key.answered.first);
    put<std::uint32_t>(out, key.answered.count);
  }
}

bool Answers::load(Part part, std::string_view payload) {
  ByteReader reader(payload);
  while (reader.ok() && !reader.is_done()) {
    if (part == Part::kKeys) {
      KeyAnswered answer;
      answer.key = reader.take(reader.get<std::uint32_t>());
      answer.hash = reader.take(reader.get<std::uint32_t>());
      answer.answered.first = reader.get<std::uint64_t>();
      answer.answered.count = reader.get<std::uint32_t>();
      if (reader.ok()) add(std::move(answer));
    } else {
      const auto run = reader.get<std::uint64_t>();
      const auto confirmed = reader.get<std::uint64_t>();
      const auto request = reader.get<std::uint64_t>();
      Answered answer;
      answer.first = reader.get<std::uint64_t>();
      answer.count = reader.get<std::uint32_t>();
      if (reader.ok()) add(run, request, confirmed, answer, {});
    }
  }
  return reader.ok();
}

}  // namespace eole::ventilator
