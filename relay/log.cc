#include "relay/log.h"

#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <ctime>
#include <iterator>
#include <utility>

#include "relay/check.h"
#include "relay/clock.h"

namespace relay {

namespace {

constexpr size_t kLineBytesMax = 4096;
// Lines that may wait for stderr. When it is full the oldest are dropped: a blocked terminal must
// never stop a broker.
constexpr size_t kLinesWaitingMax = 8192;

using Line = fmt::memory_buffer;

void Append(Line& line, std::string_view text) {
  line.append(text.data(), text.data() + text.size());
}

// How many bytes the valid UTF-8 sequence at the front of `text` has; 0 when it is invalid.
// RFC 3629 section 4.
size_t Utf8Length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto tail = [&](size_t i) { return i < text.size() && (byte(i) & 0xc0) == 0x80; };
  const unsigned char c = byte(0);
  if (c < 0x80) return 1;
  if (c >= 0xc2 && c <= 0xdf) return tail(1) ? 2 : 0;
  if (c >= 0xe0 && c <= 0xef) {
    if (!tail(1) || !tail(2)) return 0;
    if ((c == 0xe0 && byte(1) < 0xa0) || (c == 0xed && byte(1) > 0x9f)) return 0;
    return 3;
  }
  if (c >= 0xf0 && c <= 0xf4) {
    if (!tail(1) || !tail(2) || !tail(3)) return 0;
    if ((c == 0xf0 && byte(1) < 0x90) || (c == 0xf4 && byte(1) > 0x8f)) return 0;
    return 4;
  }
  return 0;
}

// RFC 8259 section 7; what is not UTF-8 becomes U+FFFD.
void AppendJsonString(Line& line, std::string_view text) {
  Append(line, "\"");
  while (!text.empty() && line.size() < kLineBytesMax) {
    const char c = text.front();
    const size_t length = Utf8Length(text);
    if (c == '"' || c == '\\') {
      const char escaped[] = {'\\', c};
      Append(line, {escaped, 2});
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      fmt::format_to(std::back_inserter(line), "\\u{:04x}", static_cast<unsigned>(c));
    } else if (length == 0) {
      Append(line, "\\ufffd");
    } else {
      Append(line, text.substr(0, length));
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  Append(line, "\"");
}

void AppendValue(Line& line, const LogField& field) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    AppendJsonString(line, *text);
  } else if (const auto* integer = std::get_if<int64_t>(&field.value)) {
    fmt::format_to(std::back_inserter(line), "{}", *integer);
  } else if (const auto* real = std::get_if<double>(&field.value)) {
    fmt::format_to(std::back_inserter(line), "{:.6g}", *real);
  } else {
    Append(line, std::get<bool>(field.value) ? "true" : "false");
  }
}

// RFC 3339 in UTC with microseconds.
void AppendTimestamp(Line& line, WallTime now) {
  const int64_t us = MicrosSinceEpoch(now);
  const time_t seconds = static_cast<time_t>(us / 1'000'000);
  tm parts;
  gmtime_r(&seconds, &parts);
  fmt::format_to(std::back_inserter(line), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
                 parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
                 parts.tm_sec, us % 1'000'000);
}

std::string_view LevelName(LogLevel level) {
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
  return "unknown";
}

}  // namespace

struct Log::Impl {
  std::string proc;
  int instance = 0;
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kJson;
  SystemClock clock;
  // Shared by spdlog's own contract: its queue holds the logger while lines of it are waiting.
  std::shared_ptr<spdlog::details::thread_pool> writer;
  std::shared_ptr<spdlog::async_logger> logger;  // Null: silent.

  void AppendJsonLine(Line& line, LogLevel at, std::string_view event, std::string_view msg,
                      std::initializer_list<LogField> fields) const {
    Append(line, "{\"ts\":\"");
    AppendTimestamp(line, clock.WallNow());
    fmt::format_to(std::back_inserter(line), "\",\"level\":\"{}\",\"proc\":\"{}\",\"instance\":{}",
                   LevelName(at), proc, instance);
    Append(line, ",\"event\":");
    AppendJsonString(line, event);
    Append(line, ",\"msg\":");
    AppendJsonString(line, msg);
    for (const LogField& field : fields) {
      // A line that is cut stays valid JSON: a field goes in whole or not at all.
      if (line.size() > kLineBytesMax / 2) break;
      Append(line, ",");
      AppendJsonString(line, field.name);
      Append(line, ":");
      AppendValue(line, field);
    }
    Append(line, "}");
  }

  void AppendTextLine(Line& line, LogLevel at, std::string_view event, std::string_view msg,
                      std::initializer_list<LogField> fields) const {
    AppendTimestamp(line, clock.WallNow());
    fmt::format_to(std::back_inserter(line), " {:<7} {}-{} {}: {}", LevelName(at), proc, instance,
                   event, msg);
    for (const LogField& field : fields) {
      fmt::format_to(std::back_inserter(line), " {}=", field.name);
      AppendValue(line, field);
    }
  }
};

Log::Log(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Log::Log(std::string proc, int instance, LogLevel level, LogFormat format)
    : impl_(std::make_unique<Impl>()) {
  impl_->proc = std::move(proc);
  impl_->instance = instance;
  impl_->level = level;
  impl_->format = format;
  impl_->writer = std::make_shared<spdlog::details::thread_pool>(kLinesWaitingMax, 1);
  impl_->logger = std::make_shared<spdlog::async_logger>(
      "relay", std::make_shared<spdlog::sinks::stderr_sink_mt>(), impl_->writer,
      spdlog::async_overflow_policy::overrun_oldest);
  impl_->logger->set_pattern("%v");
  impl_->logger->set_level(spdlog::level::trace);
  impl_->logger->flush_on(spdlog::level::trace);
}

std::unique_ptr<Log> Log::Silent() {
  return std::unique_ptr<Log>(new Log(std::make_unique<Impl>()));
}

Log::~Log() = default;

void Log::Write(LogLevel level, std::string_view event, std::string_view msg,
                std::initializer_list<LogField> fields) {
  if (!impl_->logger || level < impl_->level) return;
  Line line;
  if (impl_->format == LogFormat::kJson) {
    impl_->AppendJsonLine(line, level, event, msg, fields);
  } else {
    impl_->AppendTextLine(line, level, event, msg, fields);
  }
  impl_->logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

void Log::Debug(std::string_view event, std::string_view msg,
                std::initializer_list<LogField> fields) {
  Write(LogLevel::kDebug, event, msg, fields);
}

void Log::Info(std::string_view event, std::string_view msg,
               std::initializer_list<LogField> fields) {
  Write(LogLevel::kInfo, event, msg, fields);
}

void Log::Warning(std::string_view event, std::string_view msg,
                  std::initializer_list<LogField> fields) {
  Write(LogLevel::kWarning, event, msg, fields);
}

void Log::Error(std::string_view event, std::string_view msg,
                std::initializer_list<LogField> fields) {
  Write(LogLevel::kError, event, msg, fields);
}

}  // namespace relay
