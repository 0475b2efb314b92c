#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/load/nginx.h"
#include "tests/chaos/installation.h"

namespace relay {

// The pace of deliveries as their receivers see it: from a tenth of `total` requests to nine
// tenths, so that neither the start nor the last stragglers count. Puts per_s among the scene's
// figures, and by `cpu`, which gives a contender's CPU time so far, also cpu_ns per request.
// Abandons the scene when nothing has arrived for 20 s.
void MeasurePace(Scene& scene, Nginx& receivers, int64_t total, const std::function<Millis()>& cpu);

// An endpoint for each port of the receivers, with the cap that all contenders have.
constexpr int kInFlightOfEndpoint = 100;
std::vector<ChaosEndpoint> EndpointsAt(const Nginx& receivers, int count, bool tls);

// Accepts and stores `count` callbacks of 1,000 streams, or as the options of `relayctl simulate`
// say. Requires: a broker runs.
void Preload(Installation& relay, int64_t count,
             const std::vector<std::string>& options = {"--streams", "1000"});

// All is settled, nothing died, the books are right, and the receivers had as many requests as
// attempts were owed: `total`, or at least as many where some were answered 500.
void ExpectDelivered(Installation& relay, Nginx& receivers, int64_t total, bool failing);

}  // namespace relay
