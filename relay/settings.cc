#include "relay/settings.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "relay/ip_address.h"
#include "relay/toml_reader.h"
#include "relay/transport.h"

namespace relay {

namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr int64_t kKiB = 1024;
constexpr int64_t kMiB = 1024 * kKiB;
constexpr int64_t kGiB = 1024 * kMiB;

void CheckAddress(const TomlTable& table, std::string_view key, const std::string& address) {
  const Result<SocketAddress> parsed = SocketAddress::Parse(address);
  if (!parsed.ok()) table.Complain(key, parsed.status().text());
}

// "unix://PATH", "redis://HOST:PORT" or "rediss://HOST:PORT" (TLS). Whether a host name resolves is
// for the connection to say.
void CheckNode(const TomlTable& table, const Settings::Redis& redis) {
  const std::string_view node = redis.nodes.front();
  if (node.starts_with("unix://")) return CheckAddress(table, "nodes", std::string(node));
  const bool tls = node.starts_with("rediss://");
  const size_t colon = node.rfind(':');
  const size_t host = node.find("//") + 2;
  if ((!tls && !node.starts_with("redis://")) || colon <= host ||
      !SocketAddress::Parse("0.0.0.0" + std::string(node.substr(colon))).ok()) {
    return table.Complain(
        "nodes", "expected unix://PATH, redis://HOST:PORT or rediss://HOST:PORT, found \"" +
                     std::string(node) + '"');
  }
  if (tls && redis.tls_ca.empty()) table.Complain("nodes", "rediss:// needs redis.tls_ca");
}

void ReadRedis(TomlTable& table, Settings::Redis& redis) {
  table.Read("nodes", 64, redis.nodes);
  table.Read("tls_ca", redis.tls_ca);
  if (redis.nodes.size() > 1) {
    table.Complain("nodes",
                   "this version supports one node, found " + std::to_string(redis.nodes.size()));
  } else if (redis.nodes.empty()) {
    table.Complain("nodes", "expected one node such as \"unix:///run/relay/redis.sock\"");
  } else {
    CheckNode(table, redis);
  }
  table.Read("username", redis.username);
  table.Read("password_file", redis.password_file);
  table.Read("partitions", 1, 1024, redis.partitions);
  table.ReadWord("durability",
                 {{"always", Durability::kAlways},
                  {"everysec", Durability::kEverysec},
                  {"none", Durability::kNone}},
                 redis.durability);
  // Order holds because each partition keeps to one connection; more of them than this only cost.
  table.Read("connections", 1, 32, redis.connections);
  table.Read("command_deadline", Millis(100), minutes(1), redis.command_deadline);
}

void ReadBroker(TomlTable& table, Settings::Broker& broker) {
  table.Read("listen", 16, broker.listen);
  if (broker.listen.empty()) table.Complain("listen", "expected at least one address");
  for (const std::string& address : broker.listen) CheckAddress(table, "listen", address);
  table.Read("admin_listen", broker.admin_listen);
  CheckAddress(table, "admin_listen", broker.admin_listen);
  table.Read("connections_max", 1, 1'000'000, broker.connections_max);
  table.Read("per_ip_max", 0, 1'000'000, broker.per_ip_max);
  table.ReadBytes("head_max", kKiB, kMiB, broker.head_max);
  table.Read("headers_max", 1, 1000, broker.headers_max);
  table.ReadBytes("body_max", kKiB, 64 * kMiB, broker.body_max);
  table.Read("head_deadline", Millis(100), minutes(10), broker.head_deadline);
  table.Read("body_rate_min", 0, 1'000'000'000, broker.body_rate_min);
  table.Read("idle", Millis(1000), hours(1), broker.idle);
  table.Read("in_flight_max", 1, 1'000'000, broker.in_flight_max);
  table.ReadBytes("in_flight_bytes", 64 * kKiB, 64 * kGiB, broker.in_flight_bytes);
  table.Read("shed_at", 0.05, 1.0, broker.shed_at);
  table.Read("refuse_at", 0.05, 1.0, broker.refuse_at);
  if (broker.in_flight_bytes < broker.body_max) {
    table.Complain("in_flight_bytes", "less than body_max: the largest body could never enter");
  }
  if (broker.shed_at > broker.refuse_at) {
    table.Complain("shed_at", "above refuse_at: everyone would be refused before anyone is shed");
  }
}

void ReadWorker(TomlTable& table, Settings::Worker& worker) {
  table.Read("admin_listen", worker.admin_listen);
  CheckAddress(table, "admin_listen", worker.admin_listen);
  table.Read("credit", 1, 100'000, worker.credit);
  table.Read("in_flight_max", 1, 100'000, worker.in_flight_max);
  table.Read("split_after", Millis(100), minutes(1), worker.split_after);
  table.Read("lease_margin", Millis(1000), minutes(5), worker.lease_margin);
  table.Read("drain", Millis(0), minutes(10), worker.drain);
  table.Read("repeats_max", 0, 1'000'000'000, worker.repeats_max);
}

void ReadDelivery(TomlTable& table, Settings::Delivery& delivery) {
  table.Read("timeout", Millis(100), minutes(5), delivery.timeout);
  table.Read("connect_timeout", Millis(10), minutes(5), delivery.connect_timeout);
  table.ReadBytes("answer_kept", 0, 64 * kKiB, delivery.answer_kept);
  table.ReadBytes("answer_max", kKiB, 16 * kMiB, delivery.answer_max);
  table.Read("tls_ca", delivery.tls_ca);
  if (delivery.connect_timeout > delivery.timeout) {
    table.Complain("connect_timeout", "longer than timeout, which it is a part of");
  }
  if (delivery.answer_kept > delivery.answer_max) {
    table.Complain("answer_kept", "more than answer_max, which is all that is read");
  }
}

void ReadAttemptLog(TomlTable& table, Settings::AttemptLog& log) {
  table.Read("enabled", log.enabled);
  table.Read("age_max", minutes(1), hours(24 * 90), log.age_max);
  table.ReadBytes("bytes_max", 64 * kKiB, 1 * kGiB, log.bytes_max);
}

void ReadDeadLetters(TomlTable& table, Settings::DeadLetters& dlq) {
  table.Read("age_max", Millis(0), hours(24 * 3650), dlq.age_max);
  table.ReadBytes("bytes_max", 0, kGiB * kKiB * kKiB, dlq.bytes_max);
  table.Read("archive_dir", dlq.archive_dir);
  if (!dlq.archive_dir.empty() && dlq.archive_dir != Settings::DeadLetters::kNoArchive &&
      dlq.archive_dir.front() != '/') {
    table.Complain("archive_dir",
                   "expected an absolute path, \"none\" to drop without an archive, or \"\" to "
                   "drop nothing");
  }
}

void ReadGuard(TomlTable& table, Settings::Guard& guard) {
  table.Read("allow_private", 100, guard.allow_private);
  for (const std::string& block : guard.allow_private) {
    const Result<IpBlock> parsed = IpBlock::Parse(block);
    if (!parsed.ok()) table.Complain("allow_private", parsed.status().text());
  }
  table.Read("ports", 1000, 1, 65535, guard.ports);
  table.Read("https_only", guard.https_only);
}

void ReadSecrets(TomlTable& table, Settings::Secrets& secrets) {
  table.Read("key_file", secrets.key_file);
  if (secrets.key_file.empty()) table.Complain("key_file", "expected the path of a key file");
}

void ReadLog(TomlTable& table, Settings::LogSection& log) {
  table.ReadWord("level",
                 {{"debug", LogLevel::kDebug},
                  {"info", LogLevel::kInfo},
                  {"warning", LogLevel::kWarning},
                  {"error", LogLevel::kError}},
                 log.level);
  table.ReadWord("format", {{"json", LogFormat::kJson}, {"text", LogFormat::kText}}, log.format);
}

template <typename Section>
void ReadSection(TomlTable& root, std::string_view name, Section& section,
                 void (*read)(TomlTable&, Section&)) {
  const TomlValue* value = root.ReadTable(name);
  if (!value) return;
  TomlTable table(*value, name, root);
  read(table, section);
  table.RefuseUnknown();
}

Settings ReadSettings(TomlTable& root) {
  Settings out;
  ReadSection(root, "redis", out.redis, ReadRedis);
  ReadSection(root, "broker", out.broker, ReadBroker);
  ReadSection(root, "worker", out.worker, ReadWorker);
  ReadSection(root, "delivery", out.delivery, ReadDelivery);
  ReadSection(root, "attempt_log", out.attempt_log, ReadAttemptLog);
  ReadSection(root, "dlq", out.dlq, ReadDeadLetters);
  ReadSection(root, "guard", out.guard, ReadGuard);
  ReadSection(root, "secrets", out.secrets, ReadSecrets);
  ReadSection(root, "log", out.log, ReadLog);
  root.RefuseUnknown();
  return out;
}

constexpr std::string_view kSections[] = {"redis", "broker", "worker",  "delivery", "attempt_log",
                                          "dlq",   "guard",  "secrets", "log"};

// The section that a variable's name begins with, before the underscore of its key; empty when
// there is none. No section's name begins with another's and an underscore.
std::string_view SectionOf(std::string_view name) {
  for (const std::string_view section : kSections) {
    if (name.starts_with(section) && name.substr(section.size()).starts_with('_')) return section;
  }
  return {};
}

// Puts RELAY_<SECTION>_<KEY>=text in place of the file's value. Other variables are none of ours.
void OverlayVariable(std::string_view variable, TomlValue& root) {
  constexpr std::string_view kPrefix = "RELAY_";
  const size_t equals = variable.find('=');
  if (!variable.starts_with(kPrefix) || equals == std::string_view::npos) return;
  std::string name(variable.substr(kPrefix.size(), equals - kPrefix.size()));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::string section(SectionOf(name));
  if (section.empty()) return;
  const std::string key = name.substr(section.size() + 1);

  TomlValue* table = root.Find(section);
  if (!table) table = &root.Add(section, TomlValue());
  if (table->kind != TomlValue::Kind::kTable) return;  // The file's own mistake; it is told there.
  TomlValue* value = table->Find(key);
  if (!value) value = &table->Add(key, TomlValue());
  *value = TomlValue();
  value->kind = TomlValue::Kind::kVariable;
  value->text = variable.substr(equals + 1);
}

}  // namespace

const char* DurabilityName(Durability durability) {
  switch (durability) {
    case Durability::kAlways:
      return "always";
    case Durability::kEverysec:
      return "everysec";
    case Durability::kNone:
      return "none";
  }
  return "always";
}

const char* AppendfsyncFor(Durability durability) {
  return durability == Durability::kNone ? "no" : DurabilityName(durability);
}

Result<Settings> ParseSettings(const std::string& text, const std::string& name,
                               const std::vector<std::string>& environment) {
  Result<TomlValue> parsed = ParseToml(text, name);
  if (!parsed.ok()) return parsed.status();
  for (const std::string& variable : environment) OverlayVariable(variable, *parsed);

  TomlComplaints complaints(name);
  TomlTable root(*parsed, complaints);
  Settings settings = ReadSettings(root);
  if (settings.worker.drain < settings.delivery.timeout) {
    root.Complain("",
                  "worker.drain is shorter than delivery.timeout: a request that a stop cuts "
                  "off would be sent twice");
  }
  if (!complaints.none()) return complaints.ToStatus();
  return settings;
}

Result<Settings> LoadSettings(const std::string& path,
                              const std::vector<std::string>& environment) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    return Status::NotFound("cannot read the conf file " + path);
  }
  return ParseSettings(text.str(), path, environment);
}

Result<std::string> FindSettingsFile(const std::string& given) {
  std::string named = given;
  if (named.empty()) {
    if (const char* variable = std::getenv("RELAY_CONFIG")) named = variable;
  }
  // A file that was asked for by name is never replaced by another.
  if (!named.empty()) {
    if (access(named.c_str(), F_OK) == 0) return named;
    return Status::NotFound("no conf file at " + named);
  }
  constexpr const char* kPlaces[] = {"./conf/relay.toml", "/etc/relay/relay.toml"};
  for (const char* place : kPlaces) {
    if (access(place, F_OK) == 0) return std::string(place);
  }
  return Status::NotFound(
      "no conf file: looked for --config, RELAY_CONFIG, ./conf/relay.toml and "
      "/etc/relay/relay.toml");
}

}  // namespace relay
