#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "relay/random.h"

// Runs a fuzz target without a fuzzer: on every file of its corpus, and on a fixed number of inputs
// that are made from those files by a generator with a fixed seed. Nothing here depends on the
// machine, on time or on addresses, so that what passed once passes everywhere: libFuzzer's own
// choice of inputs differs from run to run, whatever its seed.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using relay::Random;

constexpr size_t kBytesMax = 4096;

std::vector<std::string> ReadCorpus(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> inputs;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return inputs;
}

// A piece of `text`: most often short, as a token is.
std::string PieceOf(const std::string& text, Random& random) {
  if (text.empty()) return {};
  const size_t begin = random.Below(text.size());
  const size_t longest = random.Below(4) == 0 ? text.size() - begin : 16;
  return text.substr(begin, 1 + random.Below(longest));
}

void MutateOnce(std::string& input, const std::vector<std::string>& corpus, Random& random) {
  // Bytes that mean something to the grammars under test, or that lie at the edge of a range.
  static constexpr std::string_view kBytes("\0\t\n\v\r \"#%,-./09:;=?AZ\\_az{}[]\x7f\x80\xc0\xff",
                                           33);
  const size_t at = random.Below(input.size() + 1);
  switch (random.Below(7)) {
    case 0:
      if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << random.Below(8)));
      break;
    case 1:
      if (at < input.size()) input[at] = kBytes[random.Below(kBytes.size())];
      break;
    case 2:
      input.insert(at, 1 + random.Below(random.Below(8) == 0 ? 100 : 3),
                   kBytes[random.Below(kBytes.size())]);
      break;
    case 3:
      input.erase(at, 1 + random.Below(16));
      break;
    case 4:
      input.insert(at, PieceOf(input, random));
      break;
    default:
      input.insert(at, PieceOf(corpus[random.Below(corpus.size())], random));
      break;
  }
  if (input.size() > kBytesMax) input.resize(kBytesMax);
}

void RunOn(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

}  // namespace

int main(int argc, char** argv) {
  const long runs = argc == 3 ? std::atol(argv[2]) : 0;
  if (runs <= 0) {
    std::fprintf(stderr, "usage: %s CORPUS RUNS\n", argv[0]);
    return 2;
  }
  const std::vector<std::string> corpus = ReadCorpus(argv[1]);
  if (corpus.empty()) {
    std::fprintf(stderr, "no corpus in %s\n", argv[1]);
    return 2;
  }
  for (const std::string& input : corpus) RunOn(input);
  Random random(1);
  for (long run = 0; run < runs; ++run) {
    std::string input = corpus[random.Below(corpus.size())];
    for (uint64_t count = 1 + random.Below(5); count > 0; --count) {
      MutateOnce(input, corpus, random);
    }
    RunOn(input);
  }
  std::printf("%zu files and %ld inputs made from them: all hold\n", corpus.size(), runs);
  return 0;
}
