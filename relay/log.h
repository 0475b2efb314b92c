#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace relay {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kJson, kText };

// One named value of a log line. Never a payload, never a secret.
struct LogField {
  std::string_view name;
  std::variant<std::string_view, int64_t, double, bool> value;

  LogField(std::string_view n, std::string_view v) : name(n), value(v) {}
  LogField(std::string_view n, const std::string& v) : name(n), value(std::string_view(v)) {}
  LogField(std::string_view n, const char* v) : name(n), value(std::string_view(v)) {}
  LogField(std::string_view n, bool v) : name(n), value(v) {}
  LogField(std::string_view n, double v) : name(n), value(v) {}
  template <typename T>
  requires std::is_integral_v<T> LogField(std::string_view n, T v)
      : name(n), value(static_cast<int64_t>(v)) {}
};

// Writes one line an occurrence to stderr, off the loop thread: ts (RFC 3339, microseconds), level,
// proc, instance, event (a stable word such as "redis_down"), msg (a sentence), then the fields.
// Control characters and quotes are escaped, invalid UTF-8 is replaced. At most 4 KiB a line.
class Log {
 public:
  // `proc` is the program's name, `instance` its number on this host.
  Log(std::string proc, int instance, LogLevel level, LogFormat format);
  // Writes nothing: for tests.
  static std::unique_ptr<Log> Silent();
  // Waits until all lines are out.
  ~Log();

  void Debug(std::string_view event, std::string_view msg,
             std::initializer_list<LogField> fields = {});
  void Info(std::string_view event, std::string_view msg,
            std::initializer_list<LogField> fields = {});
  void Warning(std::string_view event, std::string_view msg,
               std::initializer_list<LogField> fields = {});
  void Error(std::string_view event, std::string_view msg,
             std::initializer_list<LogField> fields = {});

 private:
  struct Impl;
  explicit Log(std::unique_ptr<Impl> impl);
  void Write(LogLevel level, std::string_view event, std::string_view msg,
             std::initializer_list<LogField> fields);
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay
