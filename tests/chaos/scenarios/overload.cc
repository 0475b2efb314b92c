// Twice as many callbacks come as Redis can store. The broker goes on storing what can be stored,
// says no to the rest at once and does not grow; when the load falls, all are taken.

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "cli/account_lines.h"
#include "tests/chaos/books.h"
#include "tests/chaos/disk/disk_control.h"
#include "tests/chaos/installation.h"
#include "tests/chaos/scenario_table.h"

namespace relay {

namespace {

// Redis answers twelve times a second, and takes at most 16 KiB of each connection at a time: some
// hundred callbacks a second on every machine, which leaves it the strength to send twice as many.
constexpr Millis kSync{80};
constexpr const char* kBodyBytes = "1200";
constexpr double kGoodShare = 0.8;
constexpr Millis kRefusedWithin{50};
constexpr Millis kAllTakenWithin{2000};
constexpr int64_t kGrowthKibMost = 32 * 1024;
constexpr Millis kLookEvery{20};

// What was answered in a span of the load.
struct Answers {
  int64_t accepted = 0;
  int64_t other = 0;                 // Neither 200 nor 503.
  int64_t last_refused_us = 0;       // When the last one was not accepted; 0: all were.
  std::vector<int64_t> refusals_us;  // How long each 503 took; sorted.

  int64_t refused() const { return static_cast<int64_t>(refusals_us.size()); }
  Micros Slowest(double share) const {
    if (refusals_us.empty()) return Micros(0);
    return Micros(refusals_us[static_cast<size_t>(share * static_cast<double>(refused() - 1))]);
  }
  void Add(const SentLine& line) {
    if (line.status == 200) {
      ++accepted;
      return;
    }
    last_refused_us = std::max(last_refused_us, line.at_us);
    if (line.status == 503) {
      refusals_us.push_back(line.latency_us);
    } else {
      ++other;
    }
  }
};

Answers ReadAnswers(Installation& relay, int64_t from_us, int64_t until_us) {
  Answers answers;
  AccountLineParser parser;
  SentLine line;
  const Status read = ForEachLine(relay.sent_log(), [&](std::string_view text) {
    if (!parser.Parse(text, &line).ok() || !line.answer) return;
    if (line.at_us >= from_us && line.at_us < until_us) answers.Add(line);
  });
  relay.scene().Require(read, "the log of the load cannot be read");
  std::sort(answers.refusals_us.begin(), answers.refusals_us.end());
  return answers;
}

std::unique_ptr<ChildProgram> LoadWith(Installation& relay, std::vector<std::string> how) {
  how.insert(how.end(), {"--streams", "500", "--body-bytes", kBodyBytes});
  return relay.Load(how);
}

// What can be stored a second: as fast as the answers allow.
double MeasureCapacity(Installation& relay) {
  auto load = LoadWith(relay, {"--duration", "3s", "--connections", "200"});
  const auto accepted = load->WaitForOutput(R"(s, (\d+) accepted/s)", Seconds(60));
  relay.AwaitLoad(*load, Seconds(10));
  const double capacity = accepted ? std::stod(*accepted) : 0;
  if (capacity < 1) relay.scene().Abandon("nothing can be stored: " + load->Output());
  relay.scene().Worst("capacity_per_s", static_cast<int64_t>(capacity));
  return capacity;
}

// So many a second, however long the answers take: whoever is let in may wait for a second, and
// holds a connection meanwhile.
std::unique_ptr<ChildProgram> OpenLoad(Installation& relay, double rate, double capacity,
                                       const char* duration) {
  return LoadWith(relay, {"--rate", std::to_string(rate), "--duration", duration, "--connections",
                          std::to_string(static_cast<int>(3 * capacity) + 200)});
}

struct Watched {
  int64_t from_us = 0;
  int64_t until_us = 0;
  int64_t growth_kib = 0;
  Micros stall{0};  // By how much this process was late at worst, as any other may have been.

  double seconds() const { return static_cast<double>(until_us - from_us) / 1e6; }
};

// Until the load ends by itself.
Watched Watch(ChildProgram& load, ChildProgram& broker) {
  Watched watched{WallMicros(), WallMicros()};
  const int64_t resident = broker.resident_kib();
  while (load.running()) {
    Pass(kLookEvery);
    const Micros late = Micros(WallMicros() - watched.until_us) - kLookEvery;
    watched.stall = std::max(watched.stall, late);
    watched.until_us = WallMicros();
    watched.growth_kib = std::max(watched.growth_kib, broker.resident_kib() - resident);
  }
  return watched;
}

void Judge(Scene& scene, const Watched& watched, const Answers& over, double capacity) {
  const double stored = static_cast<double>(over.accepted) / watched.seconds();
  const double offered = stored + static_cast<double>(over.refused()) / watched.seconds();
  scene.Worst("capacity_unused_percent",
              std::max<int64_t>(0, static_cast<int64_t>(100 - 100 * stored / capacity)));
  scene.Worst("refused_p99_us", over.Slowest(0.99).count());
  scene.Worst("refused_max_us", over.Slowest(1).count());
  scene.Worst("machine_stall_us", watched.stall.count());
  scene.Worst("broker_growth_kib", watched.growth_kib);
  scene.Expect(offered >= 1.6 * capacity,
               "the load came to " + std::to_string(offered) + " a second only");
  scene.Expect(stored >= kGoodShare * capacity,
               std::to_string(stored) + " a second were stored of " + std::to_string(capacity));
  scene.Expect(over.other == 0, std::to_string(over.other) + " answers were neither 200 nor 503");
  scene.Expect(over.Slowest(0.99) <= kRefusedWithin + watched.stall,
               "it takes " + std::to_string(over.Slowest(0.99).count()) + " us to refuse");
  scene.Expect(watched.growth_kib <= kGrowthKibMost,
               "the broker has grown by " + std::to_string(watched.growth_kib) + " KiB");
}

void Overload(Installation& relay, double capacity) {
  auto load = OpenLoad(relay, 2 * capacity, capacity, relay.scene().Sized("6s", "30s"));
  // By then as many wait as may.
  Pass(Millis(2000));
  const Watched watched = Watch(*load, relay.program("broker-1"));
  relay.AwaitLoad(*load, Seconds(10));
  Judge(relay.scene(), watched, ReadAnswers(relay, watched.from_us, watched.until_us), capacity);
}

void Relieve(Installation& relay, double capacity) {
  Scene& scene = relay.scene();
  const int64_t fell_us = WallMicros();
  auto load = OpenLoad(relay, capacity / 2, capacity, scene.Sized("4s", "10s"));
  relay.AwaitLoad(*load, Seconds(60));
  const Answers after = ReadAnswers(relay, fell_us, WallMicros());
  const int64_t took_ms = std::max<int64_t>(0, (after.last_refused_us - fell_us) / 1000);
  scene.Worst("all_taken_after_ms", took_ms);
  scene.Expect(after.accepted > 0 && took_ms <= kAllTakenWithin.count(),
               "at half load callbacks were refused for " + std::to_string(took_ms) + " ms");
}

}  // namespace

void PlayOverload(Scene& scene) {
  Installation::Options options;
  options.redis.folder = scene.folder() + "/disk";
  auto disk = DiskControl::Create(options.redis.folder, scene.folder() + "/disk-state");
  if (!disk.ok()) scene.Abandon(disk.status().text());
  (*disk)->SetSyncDelay(kSync);
  options.redis.environment = (*disk)->environment();
  Installation relay(scene, options);
  relay.StartSinksAndApply({"a"}, "in_flight_max = 500");
  relay.StartBroker("broker-1");
  relay.StartWorker("worker-1");
  const double capacity = MeasureCapacity(relay);
  Overload(relay, capacity);
  Relieve(relay, capacity);
  BookRules rules;
  rules.duplicates = false;
  CloseBooks(relay, rules);
}

}  // namespace relay
