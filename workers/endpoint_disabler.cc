#include "workers/endpoint_disabler.h"

#include "relay/redis_scripts.h"
#include "relay/script_reply.h"
#include "relay/stream_layout.h"

namespace relay {

EndpointDisabler::EndpointDisabler(EventLoop& loop, RedisClient& redis, CatalogStore& catalogs,
                                   Log& log, int partitions)
    : loop_(loop), redis_(redis), catalogs_(catalogs), log_(log), partitions_(partitions) {}

void EndpointDisabler::Disable(uint64_t number, const DisableCause& cause) {
  const CatalogPtr& catalog = catalogs_.snapshot();
  const Tenant* tenant = nullptr;
  const Endpoint* endpoint = catalog->FindEndpoint(number, &tenant);
  const EndpointRuntimeState* runtime = catalog->FindRuntimeState(number);
  if (!endpoint || (runtime && runtime->disabled)) return;
  if (!under_way_.insert(number).second) return;
  const bool can_be_told =
      !tenant->operator_endpoint.empty() && tenant->operator_endpoint != endpoint->id;
  log_.Warning("endpoint_disabled",
               can_be_told ? "an endpoint is disabled" : "an endpoint is disabled; nobody is told",
               {{"tenant", tenant->id},
                {"endpoint", endpoint->id},
                {"number", number},
                {"reason", cause.reason}});
  if (!can_be_told) return SetDisabled(number, cause.reason);
  StoreNotice(
      DisabledNotice(*tenant, *endpoint, cause, catalog->version(), loop_.clock().WallNow()),
      number, cause.reason);
}

void EndpointDisabler::StoreNotice(const Event& notice, uint64_t endpoint,
                                   const std::string& reason) {
  const int partition = PartitionOf(notice.tenant, notice.ordering_key, notice.id, partitions_);
  redis_.Send(StoreEvent(PartitionKeys::For(partition, partitions_), notice), scope_,
              [this, endpoint, reason](const Result<RedisValue>& reply) {
                const Status status = StatusOfReply(reply);
                status.ok() ? SetDisabled(endpoint, reason) : OnFailed(endpoint, status);
              });
}

void EndpointDisabler::SetDisabled(uint64_t endpoint, const std::string& reason) {
  catalogs_.SetEndpointState(
      endpoint, EndpointChange::kDisable, reason,
      [this, endpoint, watch = scope_.watch()](const Result<EndpointRuntimeState>& state) {
        if (watch.gone()) return;
        state.ok() ? void(under_way_.erase(endpoint)) : OnFailed(endpoint, state.status());
      });
}

void EndpointDisabler::OnFailed(uint64_t endpoint, const Status& status) {
  under_way_.erase(endpoint);
  log_.Warning("disable_failed", "an endpoint could not be disabled; its next failure tries again",
               {{"number", endpoint}, {"error", status.ToString()}});
}

}  // namespace relay
