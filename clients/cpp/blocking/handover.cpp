#include "clients/cpp/blocking/handover.hpp"

#include <unistd.h>

#include "common/base/ids.hpp"
#include "common/base/text.hpp"
#include "common/process/system.hpp"

namespace eole::client {

namespace {
constexpr Duration kGlanceEvery = 100ms;  // At whoever may stop it.
}  // namespace

Handover::Handover(ArtifactClient& client, std::string path)
    : client_(client), path_(std::move(path)) {
  const auto& place = client_.place();
  if (place.empty()) return;
  // Nobody guesses it, so the sink that finds it sees the same directory.
  const auto file = hex(process::random_u64()) + hex(process::random_u64());
  const auto link = text(place, "/", file, ".handed");
  if (::link(path_.c_str(), link.c_str()) != 0) return;
  link_ = link;
  id_ = client_.transfers_.hand(file, [this](const auto& ended) { outcome_ = ended; });
}

// The sink notices that the name is gone.
Handover::~Handover() {
  if (link_.empty() || outcome_) return;
  ::unlink(link_.c_str());
  client_.transfers_.stop(id_);
}

void Handover::reach(std::uint64_t bytes) {
  if (link_.empty() || outcome_) return;
  client_.transfers_.reach(id_, bytes, false);
  client_.waiting_.wait(Duration{});
}

Expected<ArtifactClient::Stored> Handover::finish(std::uint64_t bytes,
                                                  const ArtifactClient::OnProgress& on_progress) {
  if (link_.empty()) return client_.put(path_, on_progress);
  client_.transfers_.reach(id_, bytes, true);
  while (!outcome_) {
    if (on_progress && !on_progress(client_.transfers_.have(id_), bytes)) return Error{"stopped"};
    client_.waiting_.wait(kGlanceEvery);
  }
  if (*outcome_) return ArtifactClient::Stored{(*outcome_)->sha256, bytes};
  ::unlink(link_.c_str());
  // It was started anew, or sees another directory there: the long way.
  return client_.put(path_, on_progress);
}

}  // namespace eole::client
