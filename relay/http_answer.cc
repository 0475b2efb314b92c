#include "relay/http_answer.h"

#include <charconv>

namespace relay {

namespace {

struct ReasonPhrase {
  int status;
  std::string_view text;
};
// The commonest first.
constexpr ReasonPhrase kReasonPhrases[] = {
    {200, "OK"},
    {100, "Continue"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

void AppendNumber(size_t number, std::string* out) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  out->append(digits, end);
}

}  // namespace

std::string_view HttpReasonPhrase(int status) {
  for (const ReasonPhrase& phrase : kReasonPhrases) {
    if (phrase.status == status) return phrase.text;
  }
  return {};
}

void ComposeHttpAnswer(const HttpAnswer& answer, bool to_head, HttpPersistence persistence,
                       std::string* out) {
  const bool has_body = answer.status != 204 && answer.status != 304;
  out->append("HTTP/1.1 ");
  AppendNumber(static_cast<size_t>(answer.status), out);
  out->push_back(' ');
  out->append(HttpReasonPhrase(answer.status));
  if (has_body) {
    if (!answer.content_type.empty()) {
      out->append("\r\nContent-Type: ");
      out->append(answer.content_type);
    }
    out->append("\r\nContent-Length: ");
    AppendNumber(answer.body.size(), out);
  }
  switch (persistence) {
    case HttpPersistence::kStays:
      out->append("\r\n");
      break;
    case HttpPersistence::kStaysSaidAloud:
      out->append("\r\nConnection: keep-alive\r\n");
      break;
    case HttpPersistence::kCloses:
      out->append("\r\nConnection: close\r\n");
      break;
  }
  out->append(answer.extra_headers);
  out->append("\r\n");
  if (has_body && !to_head) out->append(answer.body);
}

std::string HttpErrorBody(int status, std::string_view word) {
  std::string out = "{\"code\":";
  AppendNumber(static_cast<size_t>(status), &out);
  out.append(",\"error\":\"");
  out.append(word);
  out.append("\"}");
  return out;
}

}  // namespace relay
