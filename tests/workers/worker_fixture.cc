#include "tests/workers/worker_fixture.h"

#include <algorithm>

namespace relay {

WorkerTest::WorkerTest() {
  settings_.redis.partitions = 1;
  settings_.worker.credit = 100;
  catalog_.tenants.resize(1);
  catalog_.tenants[0].id = "acme";
  AnswerCatalog();
  AnswerTransitions();
  AnswerAttemptLog();
  AnswerStreams();
}

void WorkerTest::AnswerCatalog() {
  redis_.On("XREVRANGE", [this](const FakeRedisCall&) {
    return RedisValue::Array({RedisValue::Array(
        {RedisValue::Text(std::to_string(change_) + "-0"), RedisValue::Array({})})});
  });
  redis_.On("HGETALL", [this](const FakeRedisCall& call) {
    const PartitionKeys keys = PartitionKeys::For(0, 1);
    const auto& hash = call.args[0] == keys.streams ? streams_
                       : call.args[0] == keys.rooms ? rooms_
                                                    : states_;
    std::vector<RedisValue> flat;
    for (const auto& [field, value] : hash) {
      flat.push_back(RedisValue::Text(field));
      flat.push_back(RedisValue::Text(value));
    }
    return RedisValue::Array(std::move(flat));
  });
  redis_.On("HGET", [this](const FakeRedisCall& call) { return published_.Get(call); });
  redis_.On("HMGET", [this](const FakeRedisCall& call) {
    if (call.args[0] != kCatalogKey) {
      return RedisValue::Array(std::vector<RedisValue>(call.args.size() - 1, RedisValue::Nil()));
    }
    return published_.Manifest();
  });
  redis_.On("HDEL", RedisValue::Integer(0));  // No dead letter is beyond a limit.
  redis_.On("endpoint_state", [this](const FakeRedisCall& call) {
    states_[call.args[0]] =
        R"({"disabled":true,"paused":false,"reason":"answered 410","since_ms":1})";
    ++change_;
    return RedisValue::Text(states_[call.args[0]]);
  });
}

void WorkerTest::AnswerTransitions() {
  redis_.On("SET", [this](const FakeRedisCall& call) {
    const auto [claim, fresh] = claims_.emplace(call.args[0], call.args[1]);
    return fresh ? RedisValue::Nil() : RedisValue::Text(claim->second);
  });
  redis_.On("XREADGROUP", [this](const FakeRedisCall&) {
    if (pending_pages_.empty()) return Entries({});
    RedisValue page = std::move(pending_pages_.front());
    pending_pages_.erase(pending_pages_.begin());
    return page;
  });
  redis_.On("XPENDING", [this](const FakeRedisCall&) {
    std::vector<RedisValue> rows;
    for (const std::string& id : pending_ids_) {
      rows.push_back(RedisValue::Array({RedisValue::Text(id), RedisValue::Text("w"),
                                        RedisValue::Integer(1), RedisValue::Integer(1)}));
    }
    return RedisValue::Array(std::move(rows));
  });
  redis_.On("ZRANGE", [this](const FakeRedisCall&) {
    std::vector<RedisValue> flat;
    for (const auto& [endpoint, items] : due_) {
      flat.push_back(RedisValue::Text(endpoint));
      flat.push_back(RedisValue::Text(std::to_string(now_ms())));
    }
    return RedisValue::Array(std::move(flat));
  });
  redis_.On("done", [this](const FakeRedisCall& call) { return OnDone(call); });
  redis_.On("settle", [this](const FakeRedisCall& call) { return OnSettle(call); });
  redis_.On("resolve", [this](const FakeRedisCall& call) { return OnResolve(call); });
  redis_.On("take", [this](const FakeRedisCall& call) { return OnTake(call); });
  redis_.On("lane", [this](const FakeRedisCall& call) { return OnLane(call); });
  redis_.On("hold", RedisValue::Array({RedisValue::Integer(now_ms()), RedisValue::Integer(1)}));
}

void WorkerTest::AnswerAttemptLog() {
  redis_.On("XADD", RedisValue::Text("1-0"));
  redis_.On("PEXPIRE", RedisValue::Integer(1));
  redis_.On("MEMORY", RedisValue::Integer(100));
  redis_.On("XLEN", RedisValue::Integer(1));
}

void WorkerTest::AnswerStreams() {
  redis_.On("GET", [this](const FakeRedisCall&) {
    return room_version_ == 0 ? RedisValue::Nil() : RedisValue::Text(std::to_string(room_version_));
  });
  redis_.On("streams", [this](const FakeRedisCall& call) {
    for (size_t at = 3; at + 3 < call.args.size(); at += 4) {
      auto& hash = call.args[at] == "s" ? streams_ : stream_media_;
      hash[(call.args[at] == "s" ? "" : call.args[at]) + call.args[at + 1]] = call.args[at + 3];
    }
    std::vector<RedisValue> gone;
    for (const std::string& key : streams_gone_) gone.push_back(RedisValue::Text(key));
    return RedisValue::Array(std::move(gone));
  });
  redis_.On("room", RedisValue::Array({RedisValue::Integer(0), RedisValue::Integer(0)}));
}

std::vector<AttemptLogRecord> WorkerTest::Logged() {
  loop_.Advance(AttemptLog::kGather);
  std::vector<AttemptLogRecord> all;
  for (const FakeRedisCall& call : redis_.calls()) {
    if (call.verb != "XADD") continue;
    const auto records = DecodeAttempts(call.args.back());
    EXPECT_TRUE(records.ok()) << records.status().text();
    if (records.ok()) all.insert(all.end(), records->begin(), records->end());
  }
  return all;
}

RedisValue WorkerTest::WonAll(size_t count) const {
  return RedisValue::Array(
      {RedisValue::Integer(now_ms()),
       RedisValue::Array(std::vector<RedisValue>(count, RedisValue::Integer(1)))});
}

Result<RedisValue> WorkerTest::OnDone(const FakeRedisCall& call) {
  size_t count = 0;
  for (size_t at = 1; at + 2 < call.args.size() + 0; at += 3, ++count) {
    settled_.push_back({call.args[at], call.args[at + 1], std::stoi(call.args[at + 2]), {}});
  }
  return RedisValue::Array(std::vector<RedisValue>(count, RedisValue::Integer(1)));
}

Result<RedisValue> WorkerTest::OnSettle(const FakeRedisCall& call) {
  const std::vector<std::string>& args = call.args;
  const size_t endpoints = std::stoul(args[1]);
  size_t at = 2 + endpoints;
  const size_t entries = std::stoul(args[at++]);
  for (size_t i = 0; i < entries; ++i) {
    Settled settled{args[at], args[at + 1], std::stoi(args[at + 4]), {}};
    const size_t owed = std::stoul(args[at + 5]);
    at += 6;
    for (size_t k = 0; k < owed; ++k, at += 5) {
      settled.owed.push_back({args[1 + std::stoul(args[at + 1])], args[at],
                              std::stoll(args[at + 2]), std::stoi(args[at + 3]), args[at + 4]});
    }
    settled_.push_back(std::move(settled));
  }
  return WonAll(entries);
}

Result<RedisValue> WorkerTest::OnResolve(const FakeRedisCall& call) {
  const std::vector<std::string>& args = call.args;
  const size_t endpoints = std::stoul(args[1]);
  size_t at = 2 + endpoints;
  const size_t items = std::stoul(args[at++]);
  for (size_t i = 0; i < items; ++i, at += 8) {
    resolved_.push_back({args[at], args[1 + std::stoul(args[at + 1])], std::stoll(args[at + 2]),
                         args[at + 3], std::stoll(args[at + 4]), args[at + 5]});
  }
  return WonAll(items);
}

Result<RedisValue> WorkerTest::OnTake(const FakeRedisCall& call) {
  std::vector<RedisValue> reply = {RedisValue::Integer(now_ms())};
  const auto found = due_.find(call.args[1]);
  if (found != due_.end()) {
    const size_t count = std::min(found->second.size(), std::stoul(call.args[2]));
    for (size_t i = 0; i < count; ++i) {
      reply.push_back(std::move(found->second.front()));
      found->second.erase(found->second.begin());
    }
    if (found->second.empty()) due_.erase(found);
  }
  return RedisValue::Array(std::move(reply));
}

// What is wanted is given.
Result<RedisValue> WorkerTest::OnLane(const FakeRedisCall& call) {
  std::vector<RedisValue> reply = {RedisValue::Integer(now_ms())};
  for (size_t at = 2; at < call.args.size(); at += 18) {
    const int64_t cap = std::stoll(call.args[at]);
    const int64_t want = std::stoll(call.args[at + 1]);
    const int64_t keep = std::stoll(call.args[at + 2]);
    const int64_t held = std::max(keep, std::min(cap, want));
    std::vector<RedisValue> share(11, RedisValue::Integer(0));
    share[0] = RedisValue::Integer(held);
    share[1] = RedisValue::Integer(std::min(cap, want));
    share[2] = RedisValue::Integer(std::stoll(call.args[at + 5]));
    share[4] = RedisValue::Integer(std::stoll(call.args[at + 7]));
    share[10] = RedisValue::Integer(failing_since_ms_);
    reply.push_back(RedisValue::Array(std::move(share)));
  }
  return RedisValue::Array(std::move(reply));
}

Endpoint& WorkerTest::AddEndpoint(const std::string& id) {
  std::vector<Endpoint>& endpoints = catalog_.tenants[0].endpoints;
  endpoints.emplace_back();
  Endpoint& endpoint = endpoints.back();
  endpoint.number = endpoints.size();
  endpoint.id = id;
  endpoint.url = "https://" + id + ".example/";
  endpoint.retry_schedule = DefaultRetrySchedule();
  resolver_.Set(id + ".example", "93.184.216." + std::to_string(endpoints.size()));
  return endpoint;
}

void WorkerTest::PublishCatalog() {
  published_ = CatalogInRedis(catalog_, ++catalog_version_, box_);
  ++change_;
}

void WorkerTest::StartWorker() {
  if (catalog_version_ == 0) PublishCatalog();
  catalogs_ = std::make_unique<CatalogStore>(loop_, redis_, box_, *log_);
  attempts_ =
      std::make_unique<Attempts>(loop_, http_, resolver_, guard_, settings_.delivery, random_);
  worker_ = std::make_unique<Worker>(
      Worker::Parts{loop_, redis_, reader_, *catalogs_, *attempts_, random_, *log_, metrics_,
                    [this] { return memory_share_; }},
      settings_, "boot1", "host/0");
  worker_->Start();
  loop_.RunReady();
}

Event WorkerTest::EventNamed(const std::string& id) {
  Event event;
  event.id = id;
  event.source = "demo";
  event.tenant = "acme";
  event.type = "1";
  event.body = R"({"event_type":1})";
  event.catalog_version = 1;
  event.accepted_us = 1'767'225'600'000'000;
  event.window_ms = 60'000;
  return event;
}

RedisValue WorkerTest::Entries(const std::vector<std::pair<int, Event>>& entries) const {
  std::vector<RedisValue> rows;
  for (const auto& [number, event] : entries) {
    RedisCommand fields("X");
    AppendEventFields(event, fields);
    std::vector<RedisValue> flat;
    for (const std::string& arg : fields.Args()) flat.push_back(RedisValue::Text(arg));
    flat.erase(flat.begin());
    rows.push_back(RedisValue::Array(
        {RedisValue::Text(std::to_string(number) + "-0"), RedisValue::Array(std::move(flat))}));
  }
  return RedisValue::Array({RedisValue::Array(
      {RedisValue::Text(PartitionKeys::For(0, 1).normal), RedisValue::Array(std::move(rows))})});
}

void WorkerTest::Deliver(const std::vector<std::pair<int, Event>>& entries) {
  ASSERT_EQ(reader_.unanswered(), 1u) << "nobody reads";
  reader_.Answer(Entries(entries));
  loop_.RunReady();
}

void WorkerTest::MakeDue(uint64_t endpoint, int entry, const Event& event, int attempts,
                         int64_t token) {
  const RedisValue row = Entries({{entry, event}}).items[0].items[1].items[0];
  due_[std::to_string(endpoint)].push_back(RedisValue::Array(
      {RedisValue::Text("n" + std::to_string(entry) + "-0"),
       RedisValue::Text(std::to_string(token)), RedisValue::Integer(attempts), row.items[1]}));
}

size_t WorkerTest::RequestTo(const std::string& id, size_t from) const {
  for (size_t i = from; i < http_.requests().size(); ++i) {
    if (http_.requests()[i].url == "https://" + id + ".example/") return i;
  }
  ADD_FAILURE() << "no request went to " << id;
  return 0;
}

}  // namespace relay
