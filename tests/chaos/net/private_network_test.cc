#include "tests/chaos/net/private_network.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

namespace relay {
namespace {

constexpr Millis kNetworkPatience{20000};

// In a namespace of its own, so that nothing of it is seen outside; skipped where that is
// forbidden.
class PrivateNetworkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    static const Status entered = EnterOwnNetwork();
    if (!entered.ok()) GTEST_SKIP() << entered.text();
    std::filesystem::create_directories(folder_);
    auto created = PrivateNetwork::Create(folder_);
    ASSERT_TRUE(created.ok()) << created.status().text();
    network_ = *std::move(created);
    listener_ = Listen();
  }
  void TearDown() override {
    if (listener_ >= 0) close(listener_);
    std::filesystem::remove_all(folder_);
  }

  int Listen() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    inet_pton(AF_INET, kHubAddress, &at.sin_addr);
    socklen_t size = sizeof(at);
    EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&at), size), 0);
    EXPECT_EQ(listen(fd, 16), 0);
    getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
    return fd;
  }
  // Whether a program inside can connect to us, within about a second.
  bool Reaches() {
    std::vector<std::string> command = network_->wrapper();
    command.insert(command.end(),
                   {"timeout", "1", "bash", "-c",
                    std::string("exec 3<>/dev/tcp/") + kHubAddress + "/" + std::to_string(port_)});
    return ChildProgram(command, "/dev/null").Wait(kNetworkPatience) == 0;
  }
  bool ComesToReach() {
    return WaitUntil(kNetworkPatience, [this] { return Reaches(); });
  }

  const std::string folder_ = ::testing::TempDir() + "network-" + std::to_string(getpid());
  std::unique_ptr<PrivateNetwork> network_;
  int listener_ = -1;
  int port_ = 0;
};

TEST_F(PrivateNetworkTest, TheLinkBreaksAndComesBack) {
  EXPECT_TRUE(ComesToReach());
  ASSERT_TRUE(network_->LinkDown().ok());
  EXPECT_FALSE(Reaches());
  ASSERT_TRUE(network_->Heal().ok());
  EXPECT_TRUE(ComesToReach());
}

TEST_F(PrivateNetworkTest, EitherDirectionIsLostByItself) {
  EXPECT_TRUE(ComesToReach());
  ASSERT_TRUE(network_->DropOutgoing().ok());
  EXPECT_FALSE(Reaches());
  ASSERT_TRUE(network_->Heal().ok());
  EXPECT_TRUE(ComesToReach());
  ASSERT_TRUE(network_->DropIncoming().ok());
  EXPECT_FALSE(Reaches());
  ASSERT_TRUE(network_->Heal().ok());
  EXPECT_TRUE(ComesToReach());
}

TEST_F(PrivateNetworkTest, WhatRunsInsideHasNoOtherWayOut) {
  std::vector<std::string> devices = network_->wrapper();
  devices.insert(devices.end(), {"ip", "-o", "link"});
  ChildProgram listing(devices, folder_ + "/devices");
  ASSERT_EQ(listing.Wait(kNetworkPatience), 0);
  const std::string text = listing.Output();
  EXPECT_NE(text.find("veth-in"), std::string::npos) << text;
  EXPECT_EQ(text.find("eth0"), std::string::npos) << text;
}

}  // namespace
}  // namespace relay
