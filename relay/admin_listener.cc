#include "relay/admin_listener.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <utility>

#include "relay/http_answer.h"

namespace relay {

namespace {

constexpr int kPortsPerInstance = 10;

// Few look, and none of them sends anything: what is larger or slower is not one of them.
HttpLimits AdminLimits() {
  HttpLimits limits;
  limits.connections_max = 64;
  limits.body_bytes_max = 0;
  return limits;
}

std::string ReadinessBody(const std::vector<std::string>& reasons) {
  rapidjson::StringBuffer out;
  rapidjson::Writer<rapidjson::StringBuffer> json(out);
  json.StartObject();
  json.Key("ready");
  json.Bool(reasons.empty());
  json.Key("reasons");
  json.StartArray();
  for (const std::string& reason : reasons) {
    json.String(reason.data(), static_cast<rapidjson::SizeType>(reason.size()));
  }
  json.EndArray();
  json.EndObject();
  return std::string(out.GetString(), out.GetSize());
}

}  // namespace

AdminListener::AdminListener(SystemLoop& loop, const Metrics& metrics, Reasons not_ready)
    : metrics_(metrics),
      not_ready_(std::move(not_ready)),
      server_(
          loop, AdminLimits(), [this](HttpExchange exchange) { OnRequest(std::move(exchange)); },
          [](std::string_view, int) {}) {}

Status AdminListener::Listen(const SocketAddress& address) {
  return server_.ListenExclusively(address);
}

Status AdminListener::ListenAsInstance(const std::string& address, int instance, Log& log) {
  Result<SocketAddress> parsed = SocketAddress::Parse(address);
  if (!parsed.ok()) return parsed.status();
  if (parsed->port != 0) parsed->port += kPortsPerInstance * instance;
  if (Status status = Listen(*parsed); !status.ok()) return status;
  log.Info("admin_listening", "health, readiness and metrics are here",
           {{"address", parsed->ToString()}, {"port", port()}});
  return Status::Ok();
}

void AdminListener::OnRequest(HttpExchange exchange) {
  const HttpRequest& request = exchange.request();
  std::string body;
  HttpAnswer answer;
  if (request.method == "POST") {
    answer.status = 405;
    answer.extra_headers = "Allow: GET, HEAD\r\n";
    body = HttpErrorBody(405, "method");
  } else if (request.path == "/healthz") {
    answer.content_type = "text/plain";
    body = "ok";
  } else if (request.path == "/readyz") {
    const std::vector<std::string> reasons = not_ready_();
    answer.status = reasons.empty() ? 200 : 503;
    body = ReadinessBody(reasons);
  } else if (request.path == "/metrics") {
    answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
    body = metrics_.Text();
  } else {
    answer.status = 404;
    body = HttpErrorBody(404, "not_found");
  }
  answer.body = body;
  exchange.Answer(answer);
}

}  // namespace relay
