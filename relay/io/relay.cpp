#include "relay/io/relay.hpp"

#include <utility>

#include "common/base/text.hpp"
#include "common/process/log.hpp"
#include "common/process/system.hpp"

namespace eole::relay {

using protocol::Value;

namespace {
constexpr Duration kPatience = 2s;
}

Relay::Relay(net::Context& context, net::ClusterFile cluster)
    : context_(context),
      cluster_(std::move(cluster)),
      ventilator_(context, cluster_.ventilator, "the ventilator"),
      sink_(context, cluster_.queries, "the sink"),
      alerts_(context, cluster_) {}

void Relay::turn() {
  const auto looked = look();
  const auto wrong = looked ? std::string() : looked.error().message;
  if (!wrong.empty() && wrong != told_) process::log_warning(wrong);
  told_ = wrong;
}

Expected<void> Relay::look() {
  const auto declared = ventilator_.query("chains", {}, {}, kPatience);
  if (!declared) return declared.error();
  const auto chains = run_chains(*declared);
  const auto alerts = alerts_.turn(ventilator_, sink_, process::unix_ms());
  return chains ? alerts : chains;
}

// One that was declared anew begins anew, where its group is.
Expected<void> Relay::run_chains(const Value& declared) {
  const auto* list = declared.as<Value::Array>();
  if (list == nullptr) return Error{"chains: not a list"};
  std::map<std::string, std::unique_ptr<Chain>> chains;
  for (const auto& each : *list) {
    if (chains.size() == kChainsMax) break;
    const auto name = each["name"].text_or("");
    auto known = chains_.extract(name);
    if (known && known.mapped()->declared() != each) known = {};  // It ends before the next begins.
    chains[name] = known ? std::move(known.mapped())
                         : std::make_unique<Chain>(context_, cluster_, each);
  }
  chains_ = std::move(chains);
  if (list->size() <= kChainsMax) return {};
  return Error{text(list->size(), " chains are declared, of which ", kChainsMax, " run")};
}

}  // namespace eole::relay
