#include "cli/settings_text.h"

#include <fmt/format.h>

namespace relay {

namespace {

std::string Quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

template <typename T, typename Show>
std::string List(const std::vector<T>& items, Show show) {
  std::string out;
  for (const T& item : items) out += (out.empty() ? "" : ", ") + show(item);
  return "[" + out + "]";
}

std::string Strings(const std::vector<std::string>& items) {
  return List(items, Quoted);
}

std::string Time(Millis duration) {
  return Quoted(FormatDuration(duration));
}

// With a point, because TOML tells 1 from 1.0.
std::string Real(double number) {
  return fmt::format("{:#.6g}", number);
}

const char* Word(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "info";
}

// One section: its name, then "key = value" lines.
class Section {
 public:
  explicit Section(const char* name) : text_(fmt::format("[{}]\n", name)) {}
  template <typename T>
  Section& Key(const char* key, const T& value) {
    text_ += fmt::format("{} = {}\n", key, value);
    return *this;
  }
  std::string text() const { return text_ + "\n"; }

 private:
  std::string text_;
};

std::string BrokerText(const Settings::Broker& broker) {
  return Section("broker")
      .Key("listen", Strings(broker.listen))
      .Key("admin_listen", Quoted(broker.admin_listen))
      .Key("connections_max", broker.connections_max)
      .Key("per_ip_max", broker.per_ip_max)
      .Key("head_max", broker.head_max)
      .Key("headers_max", broker.headers_max)
      .Key("body_max", broker.body_max)
      .Key("head_deadline", Time(broker.head_deadline))
      .Key("body_rate_min", broker.body_rate_min)
      .Key("idle", Time(broker.idle))
      .Key("in_flight_max", broker.in_flight_max)
      .Key("in_flight_bytes", broker.in_flight_bytes)
      .Key("shed_at", Real(broker.shed_at))
      .Key("refuse_at", Real(broker.refuse_at))
      .text();
}

}  // namespace

std::string SettingsToToml(const Settings& settings) {
  const Settings::Redis& redis = settings.redis;
  const Settings::Worker& worker = settings.worker;
  const Settings::Delivery& delivery = settings.delivery;
  return Section("redis")
             .Key("nodes", Strings(redis.nodes))
             .Key("username", Quoted(redis.username))
             .Key("password_file", Quoted(redis.password_file))
             .Key("tls_ca", Quoted(redis.tls_ca))
             .Key("partitions", redis.partitions)
             .Key("durability", Quoted(DurabilityName(redis.durability)))
             .Key("connections", redis.connections)
             .Key("command_deadline", Time(redis.command_deadline))
             .text() +
         BrokerText(settings.broker) +
         Section("worker")
             .Key("admin_listen", Quoted(worker.admin_listen))
             .Key("credit", worker.credit)
             .Key("in_flight_max", worker.in_flight_max)
             .Key("split_after", Time(worker.split_after))
             .Key("lease_margin", Time(worker.lease_margin))
             .Key("drain", Time(worker.drain))
             .Key("repeats_max", worker.repeats_max)
             .text() +
         Section("delivery")
             .Key("timeout", Time(delivery.timeout))
             .Key("connect_timeout", Time(delivery.connect_timeout))
             .Key("answer_kept", delivery.answer_kept)
             .Key("answer_max", delivery.answer_max)
             .text() +
         Section("attempt_log")
             .Key("enabled", settings.attempt_log.enabled)
             .Key("age_max", Time(settings.attempt_log.age_max))
             .Key("bytes_max", settings.attempt_log.bytes_max)
             .text() +
         Section("dlq")
             .Key("age_max", Time(settings.dlq.age_max))
             .Key("bytes_max", settings.dlq.bytes_max)
             .Key("archive_dir", Quoted(settings.dlq.archive_dir))
             .text() +
         Section("guard")
             .Key("allow_private", Strings(settings.guard.allow_private))
             .Key("ports",
                  List(settings.guard.ports, [](int port) { return std::to_string(port); }))
             .Key("https_only", settings.guard.https_only)
             .text() +
         Section("secrets").Key("key_file", Quoted(settings.secrets.key_file)).text() +
         Section("log")
             .Key("level", Quoted(Word(settings.log.level)))
             .Key("format", Quoted(settings.log.format == LogFormat::kJson ? "json" : "text"))
             .text();
}

}  // namespace relay
