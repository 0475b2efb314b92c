#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "workers/formats/delivery_bodies.h"

namespace relay {

// One event, one source and one endpoint, and what the endpoint is sent of the event.
class FormatFixture : public testing::Test {
 protected:
  FormatFixture() {
    source_.id = "live";
    source_.provider = "tencent-live";
    event_.id = "0123456789abcdef0123456789abcdef";
    event_.source = "live";
    event_.tenant = "acme";
    event_.accepted_us = 1'703'731'480'123'456;
  }

  // Called with a body of `provider`, whose callbacks have `type`.
  void Receive(std::string provider, std::string type, std::string body) {
    source_.provider = std::move(provider);
    event_.type = std::move(type);
    event_.body = std::move(body);
  }

  const FormattedBody& Make() {
    made_ = FormattedBody();
    FormatInput input{.event = event_, .endpoint = endpoint_};
    input.source = source_is_gone_ ? nullptr : &source_;
    input.now = WallTimeFromMicros(event_.accepted_us + 5'000'000);
    input.stream_verdict = stream_verdict_;
    input.room = room_ ? &*room_ : nullptr;
    bodies_.Make(input, made_);
    return made_;
  }
  // What is sent.
  std::string MakeBody() {
    const FormattedBody& made = Make();
    return made.is_own ? made.own_body : event_.body;
  }
  // The value of a header that the format adds; "absent" when it does not.
  std::string Header(const std::string& name) const {
    const std::string line = "\n" + name + ": ";
    const std::string headers = "\n" + made_.headers;
    const size_t at = headers.find(line);
    if (at == std::string::npos) return "absent";
    const size_t begin = at + line.size();
    return headers.substr(begin, headers.find('\n', begin) - begin);
  }

  Source source_;
  bool source_is_gone_ = false;
  Endpoint endpoint_;
  Event event_;
  std::string_view stream_verdict_;
  std::optional<RegisteredRoom> room_;
  DeliveryBodies bodies_;
  FormattedBody made_;
};

// The start of a push, as the provider sends it; `sequence` is beyond what a double holds.
inline constexpr char kPushStarted[] =
    R"({"app":"push.example","appid":12345678,"appname":"live","channel_id":"show_1","errcode":0,)"
    R"("event_time":1703731478,"event_type":1,"sequence":2210464508206756939,"sign":"5f",)"
    R"("stream_id":"show_1","stream_param":"txSecret=5a3b77\u0026txTime=63F5","t":1703732078})";

}  // namespace relay
