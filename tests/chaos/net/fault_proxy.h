#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "relay/clock.h"
#include "relay/random.h"
#include "relay/status.h"
#include "relay/transport.h"
#include "tests/chaos/net/proxy_link.h"

namespace relay {

// Stands between a program of ours and what it connects to, and hurts the way between them: slows
// it down, swallows what is sent in one direction or both, cuts connections in the middle of a
// command or a reply, refuses new ones, and garbles a Redis's replies (see ReplyGarbler for what it
// does, and what it leaves out) or refuses commands in its name. It lets everything pass until told
// otherwise, and again after Heal(): what a black hole has held then goes on its way, as what TCP
// sends again does.
//
// It runs on a thread of its own, which takes the network namespace of the thread that started it.
// All functions may be called from any one thread, and take effect within a moment. Destroying it
// closes everything.
class FaultProxy {
 public:
  enum class Way { kUp, kDown };  // Towards the upstream; back to the client.

  struct Options {
    SocketAddress listen{.host = "127.0.0.1"};  // Port 0: a free one.
    SocketAddress upstream;
    uint64_t seed = 1;
    bool redis = false;  // The upstream is a Redis, and is to be garbled.
  };

  static Result<std::unique_ptr<FaultProxy>> Start(Options options);
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;
  ~FaultProxy();

  int port() const { return port_; }
  // "127.0.0.1:4711".
  std::string address() const;

  // New connections go there.
  void SetUpstream(SocketAddress upstream);
  void Set(Way way, Flow flow);
  // Both ways.
  void Hold();
  // New connections are reset at once.
  void Refuse();
  // Resets all connections that are open.
  void CutAll();
  // Each that is open is reset within its next `most` bytes in this direction.
  void CutWithin(Way way, int64_t most);
  // Such a share of the replies to come; and such a share of the commands does not arrive, but is
  // answered with an error. Requires: Options::redis.
  void Garble(double share);
  // No fault from now on.
  void Heal();

  ProxyCounts counts();

 private:
  FaultProxy(Options options, int listener, int wake);
  void Run();
  int Watch(std::vector<pollfd>& watched);
  // False when the thread is to end.
  bool Serve(const std::vector<pollfd>& watched);
  void AcceptAll();
  void Connect(int client);
  void Wake();

  const std::string host_;
  const bool redis_;
  const int listener_;
  const int wake_;  // Written to when the thread is to look at what has changed.
  int port_ = 0;
  const SystemClock clock_;

  std::mutex mutex_;  // Of all below; the thread does not hold it while it waits.
  SocketAddress upstream_;
  Random random_;
  ProxyRules rules_;
  ProxyCounts counts_;
  bool refuse_ = false;
  bool stop_ = false;
  std::vector<std::unique_ptr<ProxyLink>> links_;

  std::thread thread_;
};

}  // namespace relay
