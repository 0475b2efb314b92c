#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/admission.h"
#include "broker/event_publisher.h"
#include "broker/held_quota.h"
#include "broker/providers/registry.h"
#include "broker/refusal_log.h"
#include "relay/catalog_snapshot.h"
#include "relay/event.h"
#include "relay/event_loop.h"
#include "relay/http_server.h"
#include "relay/metrics.h"
#include "relay/redis_client.h"
#include "relay/tenant_router.h"

namespace relay {

// The path of one request: find its source, admit, verify, route, publish, answer.
//
//   2xx  what the provider expects; only after Redis has said that the event is stored
//   400  malformed            403  forged, unsigned, expired      404  no source has this path
//   405  not a POST           429  the tenant's rate or quota     503  come again: Redis is away,
//                                  (with Retry-After)                  refuses, or we are full
//
// Everything else has the body {"code":<status>,"error":"<word>"}, is counted by source
// and that word, and is kept for `relayctl refused`.
//
// What is given to the constructor outlives it. Loop thread only.
class Ingress {
 public:
  using Ticket = EventPublisher::Ticket;
  // The answer to a request that Take() did not answer at once. The views in `answer` live until
  // this returns.
  using OnAnswer = std::function<void(Ticket ticket, const HttpAnswer& answer)>;

  // `store_clients` are for events alone.
  Ingress(EventLoop& loop, std::vector<RedisClient*> store_clients, int partitions,
          Admission& admission, HeldQuota& held_quota, RefusalLog& refusals, Metrics& metrics,
          OnAnswer on_answer);
  ~Ingress();

  // Sources, tenants and routes from now on. Stores under way are not touched.
  void SetCatalog(CatalogPtr catalog);
  // While not ready every callback is told to come again: nothing is promised that Redis, as it is
  // set up now, could lose. It begins not ready.
  void SetReady(bool ready) { ready_ = ready; }

  // Takes a request, which need not live longer than this call. Returns its answer, whose views
  // live until the next call, or nothing: then `ticket` is answered by `on_answer`, once. `peer` is
  // asked for the sender's address only when there is something to complain of.
  //
  // Requires: `ticket` is not waiting for an answer. Tickets are small numbers that are used again.
  using PeerName = std::function<std::string()>;
  std::optional<HttpAnswer> Take(Ticket ticket, const HttpRequest& request, const PeerName& peer);

  // Counts and keeps what the HTTP server refused by itself.
  void NoteServerRefusal(std::string_view reason, int status);

 private:
  struct SourceState;
  struct Waiting;
  struct Refusal;

  std::unique_ptr<Provider> TakeProvider(const Source& source);
  std::optional<Refusal> TakeFor(SourceState& source, Ticket ticket, const HttpRequest& request);
  std::optional<Refusal> Store(SourceState& source, Ticket ticket, const HttpRequest& request);
  void FillEvent(const Source& source, const HttpRequest& request);
  void OnOutcome(Ticket ticket, StoreOutcome outcome);
  HttpAnswer Refuse(std::string_view source, const Refusal& refusal, std::string_view peer);

  EventLoop& loop_;
  Admission& admission_;
  HeldQuota& held_quota_;
  RefusalLog& refusals_;
  Metrics& metrics_;
  const OnAnswer on_answer_;
  Histogram& ack_seconds_;
  std::map<std::pair<std::string, std::string>, Counter*, std::less<>> refused_;

  std::unique_ptr<TenantRouter> router_;
  std::vector<SourceState> sources_;  // In the order of the catalog's.
  bool ready_ = false;

  std::vector<Waiting> waiting_;  // By ticket.
  // Used again for every request, so that they keep their memory.
  CallbackFacts facts_;
  Event event_;
  std::string answer_body_;
  std::string answer_headers_;

  EventPublisher publisher_;  // Last: its outcomes need what is above.
};

// The request headers that travel with an event, as Event::headers holds them: content-type,
// traceparent, tracestate and relay-hops, as far as they are sane and not longer than
// kKeptHeadersMax together.
constexpr size_t kKeptHeadersMax = 1024;
void KeepHeaders(const HttpRequest& request, std::string& kept);

}  // namespace relay
