// The disk under Redis fills up, again and again. What cannot be written must not be acknowledged,
// and once there is room all goes on.

#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "tests/chaos/books.h"
#include "tests/chaos/disk/disk_control.h"
#include "tests/chaos/installation.h"
#include "tests/chaos/scenario_table.h"

namespace relay {

namespace {

namespace fs = std::filesystem;

constexpr int64_t kDiskBytes = 64 * 1024 * 1024;
// What is left when the disk is said to be full: the load fills it by itself.
constexpr int64_t kLeftBytes = 64 * 1024;

// A disk that can be full.
class SmallDisk {
 public:
  virtual ~SmallDisk() = default;
  virtual void Fill() = 0;
  virtual void Free() = 0;
};

// A tmpfs that nobody else sees, and a file in it that takes the room.
class SmallTmpfs final : public SmallDisk {
 public:
  // Requires the right to mount; sets errno when there is none.
  static std::unique_ptr<SmallDisk> Mount(const std::string& root) {
    const std::string size = "size=" + std::to_string(kDiskBytes);
    fs::create_directories(root);
    if (unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", root.c_str(), "tmpfs", 0, size.c_str()) != 0) {
      return nullptr;
    }
    return std::make_unique<SmallTmpfs>(root);
  }
  explicit SmallTmpfs(std::string root) : root_(std::move(root)) {}

  void Fill() override {
    const auto room = static_cast<int64_t>(fs::space(root_).available) - kLeftBytes;
    std::ofstream ballast(root_ + "/ballast", std::ios::binary);
    const std::string block(kLeftBytes, 'x');
    for (int64_t written = 0; written < room; written += kLeftBytes) ballast << block;
  }
  void Free() override { fs::remove(root_ + "/ballast"); }

 private:
  const std::string root_;
};

// The disk shim, that takes no more bytes.
class ShimmedDisk final : public SmallDisk {
 public:
  explicit ShimmedDisk(DiskControl& disk) : disk_(disk) {}
  void Fill() override { disk_.LeaveSpace(kLeftBytes); }
  void Free() override { disk_.LeaveSpace(-1); }

 private:
  DiskControl& disk_;
};

double Accepted(Installation& relay) {
  return relay.Metric("broker-1", "relay_accepted_total");
}

void FillAndFree(Installation& relay, SmallDisk& disk) {
  Scene& scene = relay.scene();
  const int64_t from_us = WallMicros();
  disk.Fill();
  scene.Expect(WaitUntil(Seconds(10), [&] { return !relay.Ready("broker-1"); }),
               "the broker is ready although the disk is full");
  // What was under way when it filled up is over; from here on nothing may be taken.
  Pass(Millis(200));
  const double taken = Accepted(relay);
  Pass(scene.Between(Millis(500), Millis(1500)));
  scene.Expect(Accepted(relay) == taken, "callbacks are acknowledged although the disk is full");
  disk.Free();
  // With `always` Redis has ended by itself, as its documentation says.
  if (relay.redis().HasEnded()) {
    relay.StartRedis();
    scene.Count("redis_ended", 1);
  }
  relay.AwaitReady("broker-1");
  scene.LogFault("full disk", "redis", from_us, WallMicros());
  scene.Count("full_disks", 1);
  const bool resumed = WaitUntil(Seconds(20), [&] { return Accepted(relay) > taken; });
  scene.Expect(resumed, "nothing is acknowledged after there is room again");
}

void Play(Scene& scene, const std::string& durability) {
  Installation::Options options;
  options.durability = durability;
  options.redis.folder = scene.folder() + "/disk";
  std::unique_ptr<DiskControl> control;
  std::unique_ptr<SmallDisk> disk = SmallTmpfs::Mount(options.redis.folder);
  if (!disk) {
    scene.Remark(std::string("no right to mount (") + std::strerror(errno) +
                 "): the disk shim stood in for a small disk");
    auto created = DiskControl::Create(options.redis.folder, scene.folder() + "/disk-state");
    if (!created.ok()) scene.Abandon(created.status().text());
    control = *std::move(created);
    options.redis.environment = control->environment();
    disk = std::make_unique<ShimmedDisk>(*control);
  }
  Installation relay(scene, options);
  relay.StartSinksAndApply({"a", "b"});
  relay.StartBroker("broker-1");
  relay.StartWorker("worker-1");
  auto load = relay.Load({"--rate", "500", "--duration", scene.Sized("9s", "30s"), "--retry",
                          "--connections", "16", "--streams", "50"});
  const int times = scene.Sized(2, 6);
  for (int i = 0; i < times; ++i) {
    Pass(scene.Between(Millis(500), Millis(1000)));
    FillAndFree(relay, *disk);
  }
  relay.AwaitLoad(*load, Seconds(60));
  CloseBooks(relay);
}

}  // namespace

void PlayFullDisk(Scene& scene) {
  Play(scene, "always");
}

void PlayFullDiskEverysec(Scene& scene) {
  Play(scene, "everysec");
}

}  // namespace relay
