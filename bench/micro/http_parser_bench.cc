#include <benchmark/benchmark.h>

#include <string>

#include "bench/micro/steady_state.h"
#include "relay/http_parser.h"

// What parsing one request costs. A callback takes about 5 us of a broker's core in all, a third of
// them in system calls; the parser must not be seen in it.

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
  RunSteadily(state, [&] {
    benchmark::DoNotOptimize(parser.Feed(bytes));
    benchmark::DoNotOptimize(parser.body().data());
    parser.Reset();
  });
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * bytes.size()));
}

void BM_ParseRequest(benchmark::State& state) {
  Run(state, Callback(static_cast<size_t>(state.range(0))));
}
BENCHMARK(BM_ParseRequest)->ArgName("body")->Arg(400)->Arg(4096)->Arg(65536);

void BM_ParseChunkedRequest(benchmark::State& state) {
  Run(state,
      "POST /in/demo HTTP/1.1\r\nHost: relay.example\r\nTransfer-Encoding: chunked\r\n\r\n190\r\n" +
          std::string(400, 'x') + "\r\n0\r\n\r\n");
}
BENCHMARK(BM_ParseChunkedRequest);

// What a slow or hostile client can make the parser do: one byte at a time, all of it shown again.
void BM_ParseRequestByteByByte(benchmark::State& state) {
  const std::string bytes = Callback(400);
  HttpParser parser({});
  RunSteadily(state, [&] {
    size_t done = 0;
    for (size_t end = 1; end <= bytes.size(); ++end) {
      if (end - done < parser.bytes_wanted()) continue;
      benchmark::DoNotOptimize(parser.Feed(std::string_view(bytes).substr(done, end - done)));
      done += parser.consumed();
    }
    parser.Reset();
  });
}
BENCHMARK(BM_ParseRequestByteByByte);

}  // namespace
}  // namespace relay
