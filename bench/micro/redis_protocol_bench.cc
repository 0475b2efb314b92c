#include <benchmark/benchmark.h>
#include <event2/buffer.h>

#include <memory>
#include <string>

#include "bench/micro/sample_callback.h"
#include "bench/micro/steady_state.h"
#include "relay/c_handle.h"
#include "relay/check.h"
#include "relay/redis_command.h"
#include "relay/redis_reader.h"
#include "relay/redis_scripts.h"
#include "relay/stream_layout.h"

// The wire between us and Redis: a command into a connection's buffer, and replies out of bytes.

namespace relay {
namespace {

// What RedisConnection does with a command; taken out again, as the kernel would.
void BM_AppendCommand(benchmark::State& state) {
  const std::unique_ptr<evbuffer, FreeWith<evbuffer_free>> out(evbuffer_new());
  const RedisCommand command = StoreEvent(PartitionKeys::For(3, 16), SampleEvent(state.range(0)));
  RunSteadily(state, [&] {
    const std::string head = command.Head();
    evbuffer_add(out.get(), head.data(), head.size());
    evbuffer_add(out.get(), command.body().data(), command.body().size());
    evbuffer_drain(out.get(), evbuffer_get_length(out.get()));
  });
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * command.body().size()));
}
BENCHMARK(BM_AppendCommand)->ArgName("body")->Arg(0)->Arg(4096)->Arg(65536);

void Read(benchmark::State& state, const std::string& bytes, int replies) {
  RedisReader reader;
  RunSteadily(state, [&] {
    RELAY_CHECK(reader.Feed(bytes).ok());
    for (int i = 0; i < replies; ++i) {
      const Result<RedisValue*> reply = reader.Next();
      RELAY_CHECK(reply.ok() && *reply != nullptr);
      benchmark::DoNotOptimize(*reply);
    }
  });
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * bytes.size()));
}

// The answers to a turn's XADDs: ids of a busy server, a little too long for a string's own room.
void BM_ReadStoreReplies(benchmark::State& state) {
  const auto replies = static_cast<int>(state.range(0));
  std::string bytes;
  for (int i = 0; i < replies; ++i) bytes += "$17\r\n1767225600000-123\r\n";
  Read(state, bytes, replies);
}
BENCHMARK(BM_ReadStoreReplies)->ArgName("replies")->Arg(1)->Arg(64);

std::string Text(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

// One XREADGROUP of a worker: so many entries of one stream.
void BM_ReadEntries(benchmark::State& state) {
  const auto entries = state.range(0);
  // The store command without its key and id is what an entry holds.
  const std::vector<std::string> args =
      StoreEvent(PartitionKeys::For(3, 16), SampleEvent(state.range(1))).Args();
  std::string bytes =
      "*1\r\n*2\r\n" + Text("relay:{p03}:ev:n") + "*" + std::to_string(entries) + "\r\n";
  for (int64_t i = 0; i < entries; ++i) {
    bytes += "*2\r\n" + Text("1767225600000-123") + "*" + std::to_string(args.size() - 3) + "\r\n";
    for (size_t arg = 3; arg < args.size(); ++arg) bytes += Text(args[arg]);
  }
  Read(state, bytes, 1);
}
BENCHMARK(BM_ReadEntries)
    ->ArgNames({"entries", "body"})
    ->Args({1, 0})
    ->Args({64, 0})
    ->Args({64, 4096})
    ->Args({1, 65536});

void BM_DecodeEvent(benchmark::State& state) {
  const std::vector<std::string> args =
      StoreEvent(PartitionKeys::For(3, 16), SampleEvent(state.range(0))).Args();
  std::vector<RedisValue> fields;
  for (size_t arg = 3; arg < args.size(); ++arg) fields.push_back(RedisValue::Text(args[arg]));
  const RedisValue entry = RedisValue::Array(std::move(fields));
  RunSteadily(state, [&] { RELAY_CHECK(DecodeEventFields(entry).ok()); });
}
BENCHMARK(BM_DecodeEvent)->ArgName("body")->Arg(0)->Arg(4096)->Arg(65536);

}  // namespace
}  // namespace relay
