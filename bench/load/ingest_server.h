#pragma once

#include <memory>
#include <optional>
#include <string>

#include "tests/chaos/scene.h"

namespace relay {

// How a server of callbacks is to be run.
struct IngestSetting {
  int connections = 64;
  int body_bytes = 400;
  int processes = 1;
};

// Something that takes callbacks by POST and answers {"code":0}.
class IngestServer {
 public:
  virtual ~IngestServer() = default;
  virtual std::string url() = 0;
  // How many it has stored; nothing where it stores none.
  virtual std::optional<int64_t> Stored() { return std::nullopt; }
  // CPU time so far of what answers, without its Redis.
  virtual Millis CpuTime() = 0;
};

// Each starts what it needs and abandons the scene when that fails.
std::unique_ptr<IngestServer> StartRelay(Scene& scene, const IngestSetting& setting,
                                         const std::string& durability);
std::unique_ptr<IngestServer> StartNginx(Scene& scene, const IngestSetting& setting);
// A libevent evhttp loop that answers and stores nothing.
std::unique_ptr<IngestServer> StartEvhttp(Scene& scene, const IngestSetting& setting);
// Fastify, storing with ioredis (`fastify_xadd.js`) or BullMQ (`fastify_bullmq.js`).
std::unique_ptr<IngestServer> StartFastify(Scene& scene, const IngestSetting& setting,
                                           const std::string& script);

}  // namespace relay
