#include "cli/up_demo.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <sstream>
#include <utility>

#include "cli/loopback_http.h"
#include "cli/tencent_callback.h"
#include "relay/http_status.h"
#include "relay/json_object.h"
#include "relay/random.h"

namespace relay {

namespace {

// The shipped catalog has the sinks on these ports.
constexpr int kShippedSinkPort = 9101;
constexpr const char* kSourcePath = "/in/demo";
constexpr Millis kAcceptPatience{5000};

std::string TextOf(const JsonObject& line, std::string_view key) {
  const JsonMember* member = line.Find(key);
  std::string buffer;
  if (!member || member->kind != JsonKind::kString) return "";
  return std::string(member->StringValue(buffer));
}

int64_t NumberOf(const JsonObject& line, std::string_view key) {
  const JsonMember* member = line.Find(key);
  int64_t number = 0;
  if (member) {
    std::from_chars(member->raw.data(), member->raw.data() + member->raw.size(), number);
  }
  return number;
}

std::string Milliseconds(int64_t us) {
  return us < 10'000 ? fmt::format("{:.1f} ms", us / 1e3) : fmt::format("{:.0f} ms", us / 1e3);
}

}  // namespace

std::vector<SinkLine> SinkLogReader::ReadNew() {
  std::vector<SinkLine> out;
  if (!file_.is_open()) file_.open(path_);
  if (!file_.is_open()) return out;
  file_.clear();  // The end of the file as it was last time.
  JsonObject object;
  for (std::string piece; std::getline(file_, piece);) {
    rest_ += piece;
    if (file_.eof()) break;  // No line end yet.
    if (object.Parse(rest_).ok()) {
      out.push_back({TextOf(object, "webhook_id"), TextOf(object, "seq"),
                     NumberOf(object, "attempt"), NumberOf(object, "status"),
                     NumberOf(object, "at_us")});
    }
    rest_.clear();
  }
  return out;
}

Result<Catalog> DemoCatalog(const UpPlan& plan) {
  const std::string path = plan.conf_folder + "/catalog.demo.toml";
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) return Status::NotFound("cannot read " + path);
  Result<Catalog> catalog = ParseCatalogToml(text.str(), path);
  if (!catalog.ok()) return catalog;
  for (Tenant& tenant : catalog->tenants) {
    for (Endpoint& endpoint : tenant.endpoints) {
      for (size_t i = 0; i < plan.sinks.size(); ++i) {
        const std::string shipped =
            "http://127.0.0.1:" + std::to_string(kShippedSinkPort + static_cast<int>(i)) + "/";
        if (!endpoint.url.starts_with(shipped)) continue;
        endpoint.url =
            "http://" + plan.sinks[i].ToString() + "/" + endpoint.url.substr(shipped.size());
        break;
      }
    }
  }
  return catalog;
}

std::vector<std::string> SinkSecrets(const Endpoint& endpoint) {
  std::vector<std::string> out;
  for (const std::string& secret : endpoint.signing_secrets) {
    out.push_back("--secret");
    out.push_back(secret);
  }
  if (endpoint.signing == SigningScheme::kTencent) {
    out.push_back("--tencent-key");
    out.push_back(endpoint.signing_key);
  }
  return out;
}

DemoEvent::DemoEvent(const UpPlan& plan, const Tenant& tenant, const Clock& clock)
    : plan_(plan), clock_(clock) {
  for (const Endpoint& endpoint : tenant.endpoints) {
    const size_t index = receivers_.size();
    if (index == plan.sinks.size()) break;
    receivers_.push_back(
        {endpoint.id, endpoint.number, SinkLogReader(plan.sink_log(index)), std::nullopt});
  }
}

Status DemoEvent::Send() {
  TencentTraffic traffic;
  traffic.key = "demo-key";
  traffic.run = Random::FromSystem().Hex(8);
  TencentCallbackMaker maker(traffic);
  ProviderCallback callback;
  maker.Make(0, CallbackKind::kGenuine, clock_.WallNow(), &callback);
  seq_ = callback.seq;
  sent_us_ = MicrosSinceEpoch(clock_.WallNow());
  const MonoTime sent = clock_.Now();
  const auto answer =
      AskLoopback(plan_.listen.front(), "POST", kSourcePath, callback.body, kAcceptPatience);
  accept_latency_ = clock_.Now() - sent;
  if (!answer.ok()) return answer.status();
  if (answer->status != 200) {
    return Status::Unavailable(fmt::format("the broker answered {} to the demo callback: {}",
                                           answer->status, answer->body));
  }
  return Status::Ok();
}

void DemoEvent::Look() {
  for (Receiver& receiver : receivers_) {
    for (SinkLine& line : receiver.log.ReadNew()) {
      if (line.seq != seq_) continue;
      event_id_ = line.webhook_id;
      receiver.last = std::move(line);
    }
  }
}

bool DemoEvent::attempted_everywhere() const {
  return std::all_of(receivers_.begin(), receivers_.end(),
                     [](const Receiver& receiver) { return receiver.last.has_value(); });
}

bool DemoEvent::arrived_everywhere() const {
  return Missing().empty();
}

std::vector<uint64_t> DemoEvent::Failing() const {
  std::vector<uint64_t> out;
  for (const Receiver& receiver : receivers_) {
    if (receiver.last && !IsSuccess(receiver.last->status)) out.push_back(receiver.number);
  }
  return out;
}

std::string DemoEvent::Summary(const std::map<uint64_t, int64_t>& due_us) const {
  std::string out = fmt::format("event {} accepted in {}", event_id_.empty() ? seq_ : event_id_,
                                Milliseconds(accept_latency_.count()));
  const int64_t now_us = MicrosSinceEpoch(clock_.WallNow());
  const char* between = " -> ";
  for (const Receiver& receiver : receivers_) {
    out += between + receiver.id + " ";
    between = " · ";
    const auto due = due_us.find(receiver.number);
    if (!receiver.last) {
      out += "not yet";
    } else if (IsSuccess(receiver.last->status)) {
      out += fmt::format("{} ({})", receiver.last->status,
                         Milliseconds(receiver.last->at_us - sent_us_));
    } else if (due == due_us.end()) {
      out += fmt::format("{} at attempt {}", receiver.last->status, receiver.last->attempt);
    } else {
      const int64_t wait_us = std::max<int64_t>(0, due->second - now_us);
      out += fmt::format("retry {} in {:.1f} s", receiver.last->attempt + 1, wait_us / 1e6);
    }
  }
  return out;
}

std::string DemoEvent::Missing() const {
  std::string out;
  for (const Receiver& receiver : receivers_) {
    if (receiver.last && IsSuccess(receiver.last->status)) continue;
    if (!out.empty()) out += "; ";
    out += receiver.last ? fmt::format("{} answered {} at attempt {}", receiver.id,
                                       receiver.last->status, receiver.last->attempt)
                         : receiver.id + " has had no attempt";
  }
  return out;
}

}  // namespace relay
