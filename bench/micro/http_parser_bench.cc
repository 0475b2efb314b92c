#include <benchmark/benchmark.h>

#include <string>

#include "relay/http_parser.h"

// What parsing one request costs. The broker's budget for a callback is about 30 us of one core,
// most of it system calls; the parser must not be seen in it.

namespace relay {
namespace {

std::string Callback(size_t body_bytes) {
  return "POST /in/demo HTTP/1.1\r\n"
         "Host: relay.example:8080\r\n"
         "User-Agent: provider-callback/1.0\r\n"
         "Accept: */*\r\n"
         "Accept-Encoding: gzip\r\n"
         "Content-Type: application/json\r\n"
         "X-Request-Id: 8d6f4e4cf1f34c0d\r\n"
         "Content-Length: " +
         std::to_string(body_bytes) + "\r\n\r\n" + std::string(body_bytes, 'x');
}

void Run(benchmark::State& state, const std::string& bytes) {
  HttpParser parser({});
  for (auto _ : state) {
    benchmark::DoNotOptimize(parser.Feed(bytes));
    benchmark::DoNotOptimize(parser.body().data());
    parser.Reset();
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * bytes.size()));
}

void BM_Callback(benchmark::State& state) {
  Run(state, Callback(static_cast<size_t>(state.range(0))));
}
BENCHMARK(BM_Callback)->Arg(300)->Arg(1000)->Arg(64 * 1024);

void BM_ChunkedCallback(benchmark::State& state) {
  Run(state,
      "POST /in/demo HTTP/1.1\r\nHost: relay.example\r\nTransfer-Encoding: chunked\r\n\r\n12c\r\n" +
          std::string(300, 'x') + "\r\n0\r\n\r\n");
}
BENCHMARK(BM_ChunkedCallback);

// What a slow or hostile client can make the parser do: one byte at a time, all of it shown again.
void BM_CallbackByteByByte(benchmark::State& state) {
  const std::string bytes = Callback(300);
  HttpParser parser({});
  for (auto _ : state) {
    size_t done = 0;
    for (size_t end = 1; end <= bytes.size(); ++end) {
      if (end - done < parser.bytes_wanted()) continue;
      benchmark::DoNotOptimize(parser.Feed(std::string_view(bytes).substr(done, end - done)));
      done += parser.consumed();
    }
    parser.Reset();
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK(BM_CallbackByteByByte);

}  // namespace
}  // namespace relay

BENCHMARK_MAIN();
