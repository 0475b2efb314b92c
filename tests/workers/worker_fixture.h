#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/catalog_in_redis.h"
#include "tests/support/fake_http_client.h"
#include "tests/support/fake_redis.h"
#include "tests/support/simulated_loop.h"
#include "tests/workers/fake_ownership.h"
#include "workers/worker.h"

namespace relay {

// A Worker with one partition on fakes: Redis answers as it does when all goes well, customers as
// the test says. Each read of the stream is answered by hand, with Deliver().
class WorkerTest : public ::testing::Test {
 protected:
  WorkerTest();

  // What a settlement or a resolution said, taken from the scripts' arguments.
  struct Owed {
    std::string endpoint;
    std::string state;  // "p" or "d"
    int64_t delay_ms = 0;
    int attempts = 0;
    std::string record;
  };
  struct Settled {
    std::string member;
    std::string kind;  // "L", "C", "R"
    int accepted = 0;
    std::vector<Owed> owed;
  };
  struct Resolved {
    std::string member;
    std::string endpoint;
    int64_t token = 0;
    std::string kind;
    int64_t delay_ms = 0;
    std::string record;
  };

  // An endpoint of tenant "acme" at https://<id>.example/, numbered from 1 in order.
  Endpoint& AddEndpoint(const std::string& id);
  // Writes the catalog as a new version into the fake Redis and announces it.
  void PublishCatalog();
  void StartWorker();
  static Event EventNamed(const std::string& id);
  // What the attempt log holds, oldest first.
  std::vector<AttemptLogRecord> Logged();
  // Answers the waiting read with these events as entries "<n>-0".
  void Deliver(const std::vector<std::pair<int, Event>>& entries);
  RedisValue Entries(const std::vector<std::pair<int, Event>>& entries) const;
  // Makes the next taking of an endpoint's retries return this.
  void MakeDue(uint64_t endpoint, int entry, const Event& event, int attempts, int64_t token);
  int64_t now_ms() const { return server_.now_ms(); }
  // The first request that went to this endpoint.
  size_t RequestTo(const std::string& id, size_t from = 0) const;

  Settings settings_;
  SimulatedLoop loop_;
  FakeRedis redis_{loop_};
  FakeRedis reader_{loop_};
  FakeOwnership server_{loop_, redis_};
  FakeHttpClient http_{loop_};
  FakeResolver resolver_{loop_};
  std::unique_ptr<Log> log_ = Log::Silent();
  Metrics metrics_;
  Random random_{5};
  SecretBox box_ = SecretBox::FromKey({});
  AddressGuard guard_ = std::move(AddressGuard::Create(Settings::Guard{}, {})).value();
  Catalog catalog_;
  uint64_t catalog_version_ = 0;
  CatalogInRedis published_;
  std::map<std::string, std::string> states_;  // Endpoint number -> run-time state.
  int change_ = 0;
  double memory_share_ = 0;       // Of Redis.
  int64_t failing_since_ms_ = 0;  // Of every lane.
  std::vector<Settled> settled_;
  std::vector<Resolved> resolved_;
  // Hashes of the partition: fields and values.
  std::map<std::string, std::string> streams_;
  std::map<std::string, std::string> stream_media_;
  std::map<std::string, std::string> rooms_;
  int64_t room_version_ = 0;
  std::vector<std::string> streams_gone_;      // What the next writing says is forgotten.
  std::map<std::string, std::string> claims_;  // Claim key -> stream id.
  std::vector<RedisValue> pending_pages_;      // Answers of ReadPending, in order; then empty.
  std::vector<std::string> pending_ids_;       // What XPENDING shows.
  std::map<std::string, std::vector<RedisValue>> due_;  // Endpoint -> taken items.
  std::unique_ptr<CatalogStore> catalogs_;
  std::unique_ptr<Attempts> attempts_;
  std::unique_ptr<Worker> worker_;

 private:
  void AnswerCatalog();
  void AnswerTransitions();
  void AnswerAttemptLog();
  void AnswerStreams();
  Result<RedisValue> OnDone(const FakeRedisCall& call);
  Result<RedisValue> OnSettle(const FakeRedisCall& call);
  Result<RedisValue> OnResolve(const FakeRedisCall& call);
  Result<RedisValue> OnLane(const FakeRedisCall& call);
  Result<RedisValue> OnTake(const FakeRedisCall& call);
  RedisValue WonAll(size_t count) const;
};

}  // namespace relay
