#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "relay/clock.h"
#include "relay/log.h"
#include "relay/status.h"
#include "relay/units.h"

namespace relay {

enum class Durability { kAlways, kEverysec, kNone };
// As conf spells it: "always", "everysec", "none".
const char* DurabilityName(Durability durability);
// The value of Redis's `appendfsync` that it asks for: "always", "everysec", "no".
const char* AppendfsyncFor(Durability durability);

// The conf of all programs, typed and within its limits. conf/relay.toml shows every key with its
// default, unit and reason; the defaults here are the same, and a test holds the two together.
struct Settings {
  struct Redis {
    std::vector<std::string> nodes = {"unix:///run/relay/redis.sock"};
    std::string username;
    std::string password_file;
    std::string tls_ca;
    int partitions = 16;
    Durability durability = Durability::kAlways;
    int connections = 4;
    Millis command_deadline{2000};

    bool operator==(const Redis&) const = default;
  };
  struct Broker {
    std::vector<std::string> listen = {"127.0.0.1:8080"};
    std::string admin_listen = "127.0.0.1:9091";
    int connections_max = 10000;
    int per_ip_max = 0;
    int64_t head_max = 16 * 1024;
    int headers_max = 64;
    int64_t body_max = 1024 * 1024;
    Millis head_deadline{10000};
    int body_rate_min = 500;
    Millis idle{60000};
    int in_flight_max = 4096;
    int64_t in_flight_bytes = 64 * 1024 * 1024;
    double shed_at = 0.75;
    double refuse_at = 0.85;

    bool operator==(const Broker&) const = default;
  };
  struct Worker {
    std::string admin_listen = "127.0.0.1:9092";
    int credit = 2000;
    int in_flight_max = 10000;
    Millis split_after{2000};
    Millis lease_margin{5000};
    Millis drain{20000};
    // Bound of the repeat window, in event ids remembered by the whole installation.
    int64_t repeats_max = 2'000'000;

    bool operator==(const Worker&) const = default;
  };
  struct Delivery {
    // No request takes longer, whatever its endpoint says; the drain is built on it.
    Millis timeout{15000};
    Millis connect_timeout{5000};
    int64_t answer_kept = 1024;
    int64_t answer_max = 64 * 1024;
    std::string tls_ca;  // A PEM file of authorities instead of the system's.

    bool operator==(const Delivery&) const = default;
  };
  // The log of attempts that `relayctl events` shows.
  struct AttemptLog {
    bool enabled = true;
    Millis age_max = std::chrono::hours(72);
    int64_t bytes_max = 16 * 1024 * 1024;  // Of one tenant, all partitions together.

    bool operator==(const AttemptLog&) const = default;
  };
  // How long and how many dead letters stay, and what becomes of those beyond a limit.
  struct DeadLetters {
    Millis age_max = std::chrono::hours(24 * 30);     // Zero: no limit.
    int64_t bytes_max = int64_t{1024} * 1024 * 1024;  // Of the whole installation. Zero: no limit.
    // Empty: they stay, and a warning is all. kNoArchive: they are dropped. Otherwise the absolute
    // path of the folder whose files they are written to before they are dropped.
    std::string archive_dir;

    static constexpr const char* kNoArchive = "none";
    bool operator==(const DeadLetters&) const = default;
  };
  struct Guard {
    std::vector<std::string> allow_private;    // CIDR blocks, e.g. "127.0.0.0/8".
    std::vector<int> ports = {80, 443, 8443};  // Empty: every port.
    bool https_only = false;

    bool operator==(const Guard&) const = default;
  };
  struct Secrets {
    // Sealing the catalog's secrets: 32 bytes or 64 hex digits, readable by its owner alone.
    std::string key_file = "/etc/relay/secret.key";

    bool operator==(const Secrets&) const = default;
  };
  struct LogSection {
    LogLevel level = LogLevel::kInfo;
    LogFormat format = LogFormat::kJson;

    bool operator==(const LogSection&) const = default;
  };

  Redis redis;
  Broker broker;
  Worker worker;
  Delivery delivery;
  AttemptLog attempt_log;
  DeadLetters dlq;
  Guard guard;
  Secrets secrets;
  LogSection log;

  bool operator==(const Settings&) const = default;
};

// Reads the file at `path`, then the variables RELAY_<SECTION>_<KEY> of `environment` ("NAME=value"
// each, as in environ) over it. A complaint names file, line and key: unknown keys, wrong types and
// values out of range are errors, never ignored.
Result<Settings> LoadSettings(const std::string& path, const std::vector<std::string>& environment);
// The same for text that is at hand; `name` stands for the file in complaints.
Result<Settings> ParseSettings(const std::string& text, const std::string& name,
                               const std::vector<std::string>& environment);

// Where conf is: `given` (from --config) when not empty, then RELAY_CONFIG, ./conf/relay.toml,
// /etc/relay/relay.toml. NotFound lists where it looked.
Result<std::string> FindSettingsFile(const std::string& given);

}  // namespace relay
