#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "relay/check.h"

namespace relay {

// Why an operation could not be done. Few codes: a caller decides by code, a person reads the text.
enum class StatusCode {
  kOk,
  kInvalidArgument,  // the bytes or values given are wrong; trying again will not help
  kNotFound,
  kUnavailable,       // the other side is away or refuses for now; trying again may help
  kDeadlineExceeded,  // no answer in time; whether it took effect is unknown
  kCancelled,         // the operation was given up by this side
  kConflict,          // somebody else changed or owns it; read again first
  kInternal,          // anything else; the text says what
};

// The word for `code` as logs and answers print it, e.g. "unavailable".
std::string_view StatusCodeName(StatusCode code);

// How an operation reports that it could not be done. What an endpoint answered is not a Status: it
// is data (see AttemptOutcome). A value type; copying copies the text.
class [[nodiscard]] Status {
 public:
  Status() = default;
  static Status Ok() { return Status(); }
  static Status InvalidArgument(std::string text) {
    return Status(StatusCode::kInvalidArgument, std::move(text));
  }
  static Status NotFound(std::string text) {
    return Status(StatusCode::kNotFound, std::move(text));
  }
  static Status Unavailable(std::string text) {
    return Status(StatusCode::kUnavailable, std::move(text));
  }
  static Status DeadlineExceeded(std::string text) {
    return Status(StatusCode::kDeadlineExceeded, std::move(text));
  }
  static Status Cancelled(std::string text) {
    return Status(StatusCode::kCancelled, std::move(text));
  }
  static Status Conflict(std::string text) {
    return Status(StatusCode::kConflict, std::move(text));
  }
  static Status Internal(std::string text) {
    return Status(StatusCode::kInternal, std::move(text));
  }

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& text() const { return text_; }
  // "unavailable: connection refused"; "ok" for an OK status.
  std::string ToString() const;

 private:
  Status(StatusCode code, std::string text) : code_(code), text_(std::move(text)) {}

  StatusCode code_ = StatusCode::kOk;
  std::string text_;
};

// A value, or the Status that says why there is none. Reading the value of a failed Result is a
// broken invariant and stops the process.
template <typename T>
class [[nodiscard]] Result {
 public:
  // Implicit on purpose: `return value;` and `return Status::...;` both read well.
  Result(T value) : state_(std::move(value)) {}
  Result(Status status) : state_(std::move(status)) { RELAY_CHECK(!std::get<Status>(state_).ok()); }

  bool ok() const { return std::holds_alternative<T>(state_); }
  // The status; OK when there is a value.
  Status status() const { return ok() ? Status::Ok() : std::get<Status>(state_); }

  T& value() & {
    RELAY_CHECK(ok());
    return std::get<T>(state_);
  }
  const T& value() const& {
    RELAY_CHECK(ok());
    return std::get<T>(state_);
  }
  T&& value() && {
    RELAY_CHECK(ok());
    return std::get<T>(std::move(state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  std::variant<T, Status> state_;
};

}  // namespace relay
