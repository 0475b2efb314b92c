#include "bench/micro/sample_callback.h"

#include "cli/tencent_callback.h"
#include "relay/clock.h"

namespace relay {

std::string SampleBody(int64_t body_bytes) {
  TencentTraffic traffic;
  traffic.key = kSampleKey;
  traffic.run = "micro";
  traffic.body_bytes = body_bytes;
  TencentCallbackMaker maker(traffic);
  ProviderCallback callback;
  maker.Make(42, CallbackKind::kGenuine, SystemClock().WallNow(), &callback);
  return callback.body;
}

Event SampleEvent(int64_t body_bytes) {
  Event event;
  DeriveEventId("demo", "sample", event.id);
  event.source = "demo";
  event.tenant = "acme";
  event.type = "1";
  event.ordering_key = "stream42";
  event.headers = "content-type: application/json\n";
  event.body = SampleBody(body_bytes);
  event.catalog_version = 7;
  event.accepted_us = MicrosSinceEpoch(SystemClock().WallNow());
  event.window_ms = 1'800'000;
  return event;
}

Source SampleSource() {
  Source source;
  source.id = source.path = "demo";
  source.provider = "tencent-live";
  source.keys = {std::string(kSampleKey)};
  source.route_by = RouteBy::kPushDomain;
  return source;
}

}  // namespace relay
