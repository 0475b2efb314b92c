#pragma once

#include <string_view>

#include "tests/chaos/net/hostile_receiver.h"
#include "tests/support/webhook_sink.h"

namespace relay {

// Where a behaviour begins: the ports of a HostileReceiver.
enum class HostileDoor {
  kPlain,   // The one that most behaviours share.
  kReset,   // Resets whoever comes.
  kRefuse,  // Nobody listens.
  kFull,    // Nobody accepts, and the queue is full: connecting never ends.
  kSlow,    // Reads slowly, then answers.
  kTls,     // Speaks TLS, with a certificate that nobody trusts.
  kNoTls,   // https to the plain port.
};

// A behaviour, and how it is done.
struct HostileAct {
  HostileBehaviour told;
  // To a request that has come whole and stands in the log.
  void (*whole)(WebhookSink::Connection& connection);
  // To one of which no more than its first line need have come; null: nothing.
  void (*begun)(WebhookSink::Connection& connection) = nullptr;
  HostileDoor door = HostileDoor::kPlain;
};

// Null when no behaviour has this path.
const HostileAct* FindHostileAct(std::string_view path);
void AnswerPlainToTls(WebhookSink::Connection& connection);

// The one that behaves like "500" every other second.
constexpr std::string_view kFlappingPath = "flapping";

}  // namespace relay
