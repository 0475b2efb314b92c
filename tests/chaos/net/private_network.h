#pragma once

#include <memory>
#include <string>
#include <vector>

#include "relay/status.h"
#include "tests/support/child_program.h"

namespace relay {

// Puts this thread, and all that it starts from now on, into a network namespace of its own, with
// nothing but a loopback that carries kHubAddress too. To be done before any socket is made:
// sockets stay where they were. Unavailable when we have not the right.
Status EnterOwnNetwork();

// Where programs inside a PrivateNetwork find what listens outside: an address that is there
// whatever becomes of their links.
inline constexpr char kHubAddress[] = "10.77.0.1";

// A network namespace for one program, joined to ours by a link that can be broken. What is sent
// over a broken link is lost, as behind a pulled cable: connecting hangs, nobody gets a reset.
//
// The namespace lives as long as this object and what runs in it; the link dies with it. Needs
// iproute2, util-linux, and EnterOwnNetwork() before, so that nothing of it shows outside.
class PrivateNetwork {
 public:
  // What is written by the commands goes into `folder`.
  static Result<std::unique_ptr<PrivateNetwork>> Create(const std::string& folder);
  PrivateNetwork(const PrivateNetwork&) = delete;

  // In front of a program that is to run inside.
  std::vector<std::string> wrapper() const;
  // Of a program inside, as seen from outside.
  std::string address() const;

  // Both ways.
  Status LinkDown();
  // What is sent from inside is lost.
  Status DropOutgoing();
  // What is sent to the inside is lost.
  Status DropIncoming();
  // Undoes all three. It takes the two ends up to a second or two to find each other.
  Status Heal();

 private:
  PrivateNetwork(std::string folder, int number);
  Status Build();
  // Runs a command; its text is in the Status when it fails.
  Status Run(std::vector<std::string> command);
  Status RunInside(std::vector<std::string> command);
  std::string outer_device() const { return "veth-out" + std::to_string(number_); }
  std::string inner_device() const { return "veth-in" + std::to_string(number_); }
  std::string AddressOf(int host) const;

  const std::string folder_;
  const int number_;
  std::unique_ptr<ChildProgram> keeper_;  // Does nothing, inside: keeps the namespace.
};

}  // namespace relay
