#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "common/protocol/messages.hpp"
#include "common/protocol/records.hpp"
#include "sink/core/origins.hpp"
#include "sink/core/runs.hpp"

namespace eole::sink {

/// Which results may enter the log: what follows from what is known of their run and of their
/// ventilator. Made for one question, of parts that outlive it.
class ResultsAdmission {
 public:
  enum class Standing : std::uint8_t {
    kForeign,      // Another key's run.
    kBehindGap,    // What comes before them is not here.
    kKnown,        // All of them are here.
    kBroken,       // The message lies about itself.
    kUnannounced,  // Of tasks that their ventilator did not announce yet.
    kUnleased,     // Of leases of a start to come.
    kTaken,
  };
  /// Those of a message that are not here yet.
  struct News {
    std::vector<protocol::ResultRun> runs = {};
    Seq highest = 0;
    std::uint32_t start = 0;  // The latest of their leases.
  };
  struct Judged {
    Standing standing;
    News news = {};  // If they are taken, now or once they are announced.
  };
  ResultsAdmission(const Runs& runs, const Origins& origins) : runs_(runs), origins_(origins) {}

  /// What becomes of results from this key.
  Judged judge(const protocol::Results& results, std::string_view user) const;
  /// All of their run's up to that number are here, or were acknowledged.
  std::uint64_t known_of(const protocol::Results& results) const;

 private:
  static std::optional<News> news_of(const protocol::Results& results, std::uint64_t known);
  bool is_announced(Origin origin, const News& news) const;
  bool is_leased(Origin origin, const News& news) const;
  const Runs& runs_;
  const Origins& origins_;
};

}  // namespace eole::sink
