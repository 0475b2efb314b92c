#include "tests/chaos/net/private_network.h"

#include <sched.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace relay {

namespace {

constexpr Millis kPatience{10000};
constexpr int kOuterHost = 1;
constexpr int kInnerHost = 2;

Status RunCommand(std::vector<std::string> command, const std::string& output) {
  std::string text;
  for (const std::string& word : command) text += word + " ";
  ChildProgram program(std::move(command), output);
  const auto status = program.Wait(kPatience);
  if (status == 0) return Status::Ok();
  return Status::Unavailable(text + "failed: " + program.Output());
}

std::string NetworkOf(const std::string& process) {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/" + process + "/ns/net", error).string();
}

// A qdisc with room for no packet loses every one, and goes with its device.
std::vector<std::string> LoseAllOn(const std::string& device) {
  return {"tc", "qdisc", "replace", "dev", device, "root", "pfifo", "limit", "0"};
}

}  // namespace

Status EnterOwnNetwork() {
  if (unshare(CLONE_NEWNET) != 0) {
    return Status::Unavailable(std::string("no network namespace of our own: ") +
                               std::strerror(errno));
  }
  const std::string hub = std::string(kHubAddress) + "/32";
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"ip", "link", "set", "lo", "up"}, {"ip", "addr", "add", hub, "dev", "lo"}}) {
    if (Status status = RunCommand(command, "/dev/null"); !status.ok()) return status;
  }
  return Status::Ok();
}

Result<std::unique_ptr<PrivateNetwork>> PrivateNetwork::Create(const std::string& folder) {
  static std::atomic<int> networks = 0;
  std::unique_ptr<PrivateNetwork> network(new PrivateNetwork(folder, ++networks));
  if (Status status = network->Build(); !status.ok()) return status;
  return network;
}

PrivateNetwork::PrivateNetwork(std::string folder, int number)
    : folder_(std::move(folder)), number_(number) {}

Status PrivateNetwork::Build() {
  keeper_ = std::make_unique<ChildProgram>(
      std::vector<std::string>{"unshare", "--net", "--", "sleep", "infinity"},
      folder_ + "/network.out");
  const std::string keeper = std::to_string(keeper_->pid());
  const bool inside = WaitUntil(kPatience, [&] {
    const std::string its = NetworkOf(keeper);
    return !keeper_->running() || (!its.empty() && its != NetworkOf("thread-self"));
  });
  if (!inside || !keeper_->running()) {
    return Status::Unavailable("no network namespace: " + keeper_->Output());
  }
  const std::string outer = AddressOf(kOuterHost);
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"ip", "link", "add", outer_device(), "type", "veth", "peer", "name", inner_device(),
            "netns", keeper},
           {"ip", "addr", "add", outer + "/30", "dev", outer_device()},
           {"ip", "link", "set", outer_device(), "up"}}) {
    if (Status status = Run(command); !status.ok()) return status;
  }
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"ip", "link", "set", "lo", "up"},
           {"ip", "addr", "add", address() + "/30", "dev", inner_device()},
           {"ip", "link", "set", inner_device(), "up"},
           {"ip", "route", "add", "default", "via", outer}}) {
    if (Status status = RunInside(command); !status.ok()) return status;
  }
  return Status::Ok();
}

std::string PrivateNetwork::AddressOf(int host) const {
  return "10.77." + std::to_string(number_) + "." + std::to_string(host);
}

std::string PrivateNetwork::address() const {
  return AddressOf(kInnerHost);
}

std::vector<std::string> PrivateNetwork::wrapper() const {
  return {"nsenter", "--net=/proc/" + std::to_string(keeper_->pid()) + "/ns/net", "--"};
}

Status PrivateNetwork::Run(std::vector<std::string> command) {
  return RunCommand(std::move(command), folder_ + "/network.out");
}

Status PrivateNetwork::RunInside(std::vector<std::string> command) {
  const std::vector<std::string> front = wrapper();
  command.insert(command.begin(), front.begin(), front.end());
  return Run(std::move(command));
}

Status PrivateNetwork::LinkDown() {
  return Run({"ip", "link", "set", outer_device(), "down"});
}

Status PrivateNetwork::DropOutgoing() {
  return RunInside(LoseAllOn(inner_device()));
}

Status PrivateNetwork::DropIncoming() {
  return Run(LoseAllOn(outer_device()));
}

Status PrivateNetwork::Heal() {
  // Put in the place of whatever is there: what does not exist could not be removed.
  if (Status status = Run({"tc", "qdisc", "replace", "dev", outer_device(), "root", "noqueue"});
      !status.ok()) {
    return status;
  }
  if (Status status =
          RunInside({"tc", "qdisc", "replace", "dev", inner_device(), "root", "noqueue"});
      !status.ok()) {
    return status;
  }
  return Run({"ip", "link", "set", outer_device(), "up"});
}

}  // namespace relay
