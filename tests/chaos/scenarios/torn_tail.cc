// The last write to the append-only file was torn: by a crash in mid-write, inside a MULTI block as
// well, twice in a row; or the disk has lost bytes that it said it had. Redis must start with all
// that was acknowledged, or refuse in so many words.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/chaos/books.h"
#include "tests/chaos/installation.h"
#include "tests/chaos/scenario_table.h"

namespace relay {

namespace {

constexpr int64_t kCutBytesMax = 4096;
// No event of ours takes less of the file.
constexpr int64_t kEventBytesLeast = 400;

std::string Bulk(const std::string& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

std::string Command(const std::vector<std::string>& words) {
  std::string out = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) out += Bulk(word);
  return out;
}

std::string Torn(const std::string& bytes, Random& random) {
  return bytes.substr(0, 1 + random.Below(bytes.size() - 1));
}

const std::string& Multi() {
  static const std::string kMulti = Command({"MULTI"});
  return kMulti;
}

const std::string& Add() {
  static const std::string kAdd =
      Command({"XADD", "relay:{torn}:ev:n", "1-1", "body", std::string(300, 'x')});
  return kAdd;
}

// A block of commands of which one is whole and the next is not. A Redis 7.0 that truncates by
// itself leaves such a block open, and takes all that it writes from then on for more of it.
std::string OpenBlock(Random& random) {
  return Multi() + Add() + Torn(Add(), random);
}

// A write that was under way: cut anywhere, also within a block or right behind its beginning.
std::string AnyTornWrite(Random& random) {
  switch (random.Below(3)) {
    case 0:
      return Torn(Add(), random);
    case 1:
      return Multi();
    default:
      return Torn(Multi() + Add() + Add() + Command({"EXEC"}), random);
  }
}

void Append(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::app) << bytes;
}

// Cuts up to 4 KiB off the end, as a disk does that has lied about its fsync.
void CutOff(const std::string& path, Random& random) {
  const auto size = static_cast<int64_t>(std::filesystem::file_size(path));
  const auto cut = 1 + static_cast<int64_t>(random.Below(kCutBytesMax));
  std::filesystem::resize_file(path, static_cast<uintmax_t>(std::max<int64_t>(0, size - cut)));
}

// Kills Redis, tears the end of its file, starts it again as `repair` says.
void Tear(Installation& relay, bool repair, const std::string& tail) {
  Scene& scene = relay.scene();
  const int64_t from_us = WallMicros();
  relay.redis().Kill9();
  Append(relay.redis().aof_path(), tail);
  if (repair) {
    relay.redis().options().repair_aof = false;
    scene.Expect(!relay.redis().Start().ok(), "Redis started over a torn tail without a word");
    relay.redis().options().repair_aof = true;
  }
  relay.StartRedis();
  relay.AwaitReady("broker-1");
  scene.LogFault("torn tail", "redis", from_us, WallMicros());
  scene.Count("torn_tails", 1);
}

// What had been acknowledged goes with the bytes that held it, and nothing else does.
void CutAndMend(Installation& relay) {
  Scene& scene = relay.scene();
  const int64_t from_us = WallMicros();
  relay.redis().Kill9();
  CutOff(relay.redis().aof_path(), scene.random());
  relay.redis().options().repair_aof = false;
  if (relay.redis().Start().ok()) {
    // The cut fell between two commands: a file that is whole, and nothing to be seen.
    scene.Count("cut_between_commands", 1);
  } else {
    relay.redis().options().repair_aof = true;
    relay.StartRedis();
  }
  relay.AwaitReady("broker-1");
  scene.LogFault("cut tail", "redis", from_us, WallMicros(), /*may_lose_us=*/10'000'000);
  scene.Count("torn_tails", 1);
}

void Play(Scene& scene, bool ours) {
  Installation::Options options;
  options.redis.repair_aof = ours;
  if (!ours) options.redis.lines = {"aof-load-truncated yes"};
  Installation relay(scene, options);
  relay.StartSinksAndApply({"a", "b", "c"});
  relay.StartBroker("broker-1");
  relay.StartWorker("worker-1");
  auto load = relay.Load({"--rate", "800", "--duration", scene.Sized("9s", "30s"), "--retry",
                          "--connections", "16", "--streams", "50"});
  const int pairs = scene.Sized(2, 5);
  for (int i = 0; i < pairs; ++i) {
    Pass(scene.Between(Millis(500), Millis(1500)));
    // Twice in a row: what was written behind the first tear must stand the second one. No worker
    // is there meanwhile, for its scripts are blocks, and their ends would end an open one as well.
    relay.Kill("worker-1");
    Tear(relay, ours, OpenBlock(scene.random()));
    Pass(scene.Between(Millis(100), Millis(600)));
    Tear(relay, ours, AnyTornWrite(scene.random()));
    relay.StartAgain("worker-1");
    relay.AwaitReady("worker-1");
  }
  relay.AwaitLoad(*load, Seconds(60));
  CloseBooks(relay);
}

}  // namespace

void PlayTornTail(Scene& scene) {
  Play(scene, /*ours=*/true);
}

void PlayTornTailOfForeignRedis(Scene& scene) {
  Play(scene, /*ours=*/false);
}

void PlayCutTail(Scene& scene) {
  Installation relay(scene);
  relay.StartSinksAndApply({"a", "b", "c"});
  relay.StartBroker("broker-1");
  relay.StartWorker("worker-1");
  auto load = relay.Load(
      {"--rate", "800", "--duration", "6s", "--retry", "--connections", "16", "--streams", "50"});
  Pass(scene.Between(Millis(1000), Millis(4000)));
  CutAndMend(relay);
  relay.AwaitLoad(*load, Seconds(60));
  const Account account = CloseBooks(relay);
  const int64_t lost = account.Number("lost_in_cut");
  scene.Expect(lost <= 3 * kCutBytesMax / kEventBytesLeast,
               std::to_string(lost) + " deliveries lost with 4 KiB of the file");
}

}  // namespace relay
