#include "tests/chaos/net/hostile_acts.h"

#include <string>

#include "tests/chaos/net/gzip_bomb.h"

namespace relay {

namespace {

using Connection = WebhookSink::Connection;

// Longer than any endpoint waits, so that the relay is the one who gives up.
constexpr Millis kForLong{4000};
// So that what was sent before a reset has been read.
constexpr Millis kBeforeReset{50};
constexpr Millis kDrip{1000};
constexpr size_t kBombBytes = 8 * 1024 * 1024;

// ---- What is done to a request that has come whole. Its line is in the log already.

std::string Head(const std::string& status_line, const std::string& headers = "") {
  return "HTTP/1.1 " + status_line + "\r\n" + headers + "\r\n";
}

std::string Answer(const std::string& status_line, const std::string& headers = "",
                   const std::string& body = "{\"code\":0}") {
  return Head(status_line, headers + "Content-Length: " + std::to_string(body.size()) + "\r\n") +
         body;
}

template <int kStatus>
void AnswerStatus(Connection& c) {
  c.Send(Answer(std::to_string(kStatus) + " Whatever"));
}

void Hang(Connection&) {}

void CloseUnanswered(Connection& c) {
  c.Close();
}

void SendAndClose(Connection& c, const std::string& bytes) {
  c.Send(bytes);
  c.Close();
}

void SendAndReset(Connection& c, const std::string& bytes) {
  c.Send(bytes);
  c.ResetAfter(kBeforeReset);
}

void ResetInStatusLine(Connection& c) {
  SendAndReset(c, "HTTP/1.1 2");
}

void ResetInHead(Connection& c) {
  SendAndReset(c, "HTTP/1.1 200 OK\r\nContent-Le");
}

void ResetInBody(Connection& c) {
  SendAndReset(c, Head("200 OK", "Content-Length: 1000\r\n") + "{\"code\":0");
}

void DripHead(Connection& c) {
  c.Drip(Answer("200 OK"), kDrip);
}

void DripBody(Connection& c) {
  c.Send(Head("200 OK", "Content-Length: 1000\r\n"));
  c.Drip(std::string(1000, ' '), kDrip);
}

void TooManyRequests(Connection& c) {
  c.Send(Answer("429 Slow Down", "Retry-After: 1\r\n"));
}

void AwayForAges(Connection& c) {
  c.Send(Answer("503 Away", "Retry-After: 99999999\r\n"));
}

void RedirectForGood(Connection& c) {
  c.Send(Answer("301 Moved", "Location: /" + std::string(kRedirectTarget) + "\r\n"));
}

void RedirectForNow(Connection& c) {
  c.Send(Answer("302 Found", "Location: /" + std::string(kRedirectTarget) + "\r\n"));
}

void RedirectWithBody(Connection& c) {
  c.Send(Answer("307 Temporary", "Location: /" + std::string(kRedirectTarget) + "\r\n"));
}

void ContinueForEver(Connection& c) {
  c.Flood(Head("100 Continue"));
}

void SwitchProtocols(Connection& c) {
  SendAndClose(c, Head("101 Switching Protocols", "Upgrade: h2c\r\nConnection: Upgrade\r\n"));
}

void EndlessBody(Connection& c) {
  c.Send(Head("200 OK", "Connection: close\r\n"));
  c.Flood(std::string(16 * 1024, 'x'));
}

void EndlessHeaders(Connection& c) {
  c.Send("HTTP/1.1 200 OK\r\n");
  c.Flood("X-Filler: and so on\r\n");
}

void EndlessHeader(Connection& c) {
  c.Send("HTTP/1.1 200 OK\r\nX-Filler: ");
  c.Flood(std::string(16 * 1024, 'x'));
}

void HugeLength(Connection& c) {
  c.Send(Head("200 OK", "Content-Length: 999999999999999\r\n") + "{\"code\":0}");
}

void NoLength(Connection& c) {
  c.Send(Head("200 OK") + "{\"code\":0}");
}

void SendBomb(Connection& c) {
  static const std::string kBomb = GzipBomb(kBombBytes);
  c.Send(Answer("200 OK", "Content-Encoding: gzip\r\n", kBomb));
}

void AnswerAs09(Connection& c) {
  SendAndClose(c, "{\"code\":0}\r\n");
}

void TwoAnswers(Connection& c) {
  c.Send(Answer("200 OK") + Answer("200 OK"));
}

// The second one must not count for the request that comes next.
void RefusalAndAnswerAhead(Connection& c) {
  c.Send(Answer("500 No") + Answer("200 OK"));
}

void LengthTooShort(Connection& c) {
  c.Send(Head("200 OK", "Content-Length: 5\r\n") + std::string(500, 'x'));
}

void TwoLengths(Connection& c) {
  SendAndClose(c, Head("500 No", "Content-Length: 5\r\nContent-Length: 10\r\n") + "1234567890");
}

void NegativeLength(Connection& c) {
  SendAndClose(c, Head("200 OK", "Content-Length: -5\r\n") + "{\"code\":0}");
}

void BadChunks(Connection& c) {
  SendAndClose(c, Head("200 OK", "Transfer-Encoding: chunked\r\n") + "ZZZ\r\n{\"code\":0}\r\n");
}

void Garbage(Connection& c) {
  std::string bytes(600, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 167 + 13);
  SendAndClose(c, bytes);
}

void NulInHeader(Connection& c) {
  SendAndClose(c, Head("200 OK", std::string("X-Nul: a\0b\r\n", 12)));
}

// The alert of a TLS server that has met plain text.
void TlsOnPlain(Connection& c) {
  SendAndClose(c, std::string("\x15\x03\x03\x00\x02\x02\x46", 7));
}

void KeepAliveAndClose(Connection& c) {
  SendAndClose(c, Answer("200 OK", "Connection: keep-alive\r\n", ""));
}

void NoContentWithBody(Connection& c) {
  c.Send(Head("204 No Content", "Content-Length: 10\r\n") + "{\"code\":0}");
}

void OtherCode(Connection& c) {
  c.Send(Answer("200 OK", "", "{\"code\":7}"));
}

void ResetInCode(Connection& c) {
  SendAndReset(c, Head("200 OK", "Content-Length: 10\r\n") + "{\"code\"");
}

// ---- What is done before a request has come whole.

void ResetBegun(Connection& c) {
  c.Reset();
}

void StopBegun(Connection& c) {
  c.StopReading();
  c.ResetAfter(kForLong);
}

// ---- The table

constexpr auto kDelivered = HostileOutcome::kDelivered;
constexpr auto kRetried = HostileOutcome::kRetriedUntilDead;
constexpr auto kAtOnce = HostileOutcome::kDeadAtOnce;
constexpr std::string_view kCode0 = "ack = \"code0\"\n";

const HostileAct kActs[] = {
    // The connection.
    {{"refused", "nobody listens", kRetried, "unreachable"}, &Hang, nullptr, HostileDoor::kRefuse},
    {{"no-accept", "connecting never ends", kRetried, "timed_out"},
     &Hang,
     nullptr,
     HostileDoor::kFull},
    {{"reset-on-accept", "reset at once", kRetried, "unreachable"},
     &Hang,
     nullptr,
     HostileDoor::kReset},
    {{"reset-in-request", "reset in mid-request", kRetried, "unreachable"}, &Hang, &ResetBegun},
    {{"never-read", "accepts and never reads", kRetried, "timed_out"}, &Hang, &StopBegun},
    {{"slow-read", "reads 2 kB/s, then answers", kDelivered, "", 200},
     &AnswerStatus<200>,
     nullptr,
     HostileDoor::kSlow},
    {{"bad-certificate", "a certificate that nobody trusts", kRetried, "tls_failed"},
     &AnswerStatus<200>,
     nullptr,
     HostileDoor::kTls},
    {{"no-tls", "plain text to a TLS client", kRetried, "tls_failed"},
     &Hang,
     nullptr,
     HostileDoor::kNoTls},
    {{"tls-on-plain", "a TLS alert to a plain client", kRetried, "unreachable"}, &TlsOnPlain},
    // No answer, or part of one.
    {{"hang", "never answers", kRetried, "timed_out"}, &Hang},
    {{"close", "closes without an answer", kRetried, "unreachable"}, &CloseUnanswered},
    {{"reset-in-status", "reset in mid-status-line", kRetried, "unreachable"}, &ResetInStatusLine},
    {{"reset-in-head", "reset in mid-head", kRetried, "unreachable"}, &ResetInHead},
    {{"reset-in-body", "reset in mid-body", kDelivered, "", 200}, &ResetInBody},
    {{"drip-head", "a byte of the head a second", kRetried, "timed_out"}, &DripHead},
    {{"drip-body", "a byte of the body a second", kDelivered, "", 200, "", true}, &DripBody},
    // Statuses.
    {{"500", "500", kRetried, "rejected", 500}, &AnswerStatus<500>},
    {{"503", "503, come back in three years", kRetried, "overloaded", 503}, &AwayForAges},
    {{"429", "429, come back in a second", kRetried, "overloaded", 429}, &TooManyRequests},
    {{"404", "404", kRetried, "rejected", 404}, &AnswerStatus<404>},
    {{"422", "a status that the endpoint lists as final", kAtOnce, "final_status", 422},
     &AnswerStatus<422>},
    {{"410", "410: never call again", kAtOnce, "gone", 410}, &AnswerStatus<410>},
    {{"301", "a redirect for good", kRetried, "rejected", 301}, &RedirectForGood},
    {{"302", "a redirect for now", kRetried, "rejected", 302}, &RedirectForNow},
    {{"307", "a redirect with the body", kRetried, "rejected", 307}, &RedirectWithBody},
    {{"999", "a status out of range", kRetried, "rejected", 999}, &AnswerStatus<999>},
    {{"101", "switches protocols unasked", kRetried, "unreachable"}, &SwitchProtocols},
    {{kFlappingPath, "500 and 200 by turns, a second each", kDelivered, "", 200},
     &AnswerStatus<200>},
    // Too much.
    {{"continue-for-ever", "100 Continue again and again", kRetried, "too_large"},
     &ContinueForEver},
    {{"endless-headers", "headers without end", kRetried, "too_large"}, &EndlessHeaders},
    {{"endless-header", "one header without end", kRetried, "unreachable"}, &EndlessHeader},
    {{"endless-body", "a body without end", kDelivered, "", 200}, &EndlessBody},
    {{"huge-length", "a petabyte announced, ten bytes sent", kDelivered, "", 200, "", true},
     &HugeLength},
    {{"no-length", "a body that nothing ends", kDelivered, "", 200, "", true}, &NoLength},
    {{"gzip-bomb", "50 KiB that unpack to 8 MiB", kDelivered, "", 200}, &SendBomb},
    // No HTTP, or bad HTTP.
    {{"http-0-9", "a body without a head", kRetried, "unreachable"}, &AnswerAs09},
    {{"garbage", "random bytes", kRetried, "unreachable"}, &Garbage},
    {{"nul-in-header", "a NUL in a header", kRetried, "unreachable"}, &NulInHeader},
    {{"negative-length", "a negative length", kRetried, "unreachable"}, &NegativeLength},
    {{"two-lengths", "500 with two lengths", kRetried, "rejected", 500}, &TwoLengths},
    {{"bad-chunks", "200 with chunks that are none", kDelivered, "", 200}, &BadChunks},
    {{"too-short", "200 and more body than announced", kDelivered, "", 200}, &LengthTooShort},
    {{"204-with-body", "204 with a body", kDelivered, "", 204}, &NoContentWithBody},
    {{"two-answers", "200 twice", kDelivered, "", 200}, &TwoAnswers},
    {{"answer-ahead", "500, and a 200 for the next request", kRetried, "rejected", 500},
     &RefusalAndAnswerAhead},
    {{"keep-alive-close", "200, says it stays, and closes", kDelivered, "", 200},
     &KeepAliveAndClose},
    // Where the endpoint asks for {"code":0}.
    {{"other-code", "200 and another code", kRetried, "ack_missing", 200, kCode0}, &OtherCode},
    {{"reset-in-code", "200, and reset before the code", kRetried, "ack_missing", 200, kCode0},
     &ResetInCode},
};

// Nobody may come here.
const HostileAct kRedirected = {{kRedirectTarget, "200", kDelivered, "", 200}, &AnswerStatus<200>};

}  // namespace

const HostileAct* FindHostileAct(std::string_view path) {
  if (path == kRedirectTarget) return &kRedirected;
  for (const HostileAct& act : kActs) {
    if (act.told.path == path) return &act;
  }
  return nullptr;
}

std::vector<HostileBehaviour> HostileBehaviours() {
  std::vector<HostileBehaviour> all;
  for (const HostileAct& act : kActs) all.push_back(act.told);
  return all;
}

void AnswerPlainToTls(Connection& c) {
  SendAndClose(c, Answer("400 Bad Request"));
}

}  // namespace relay
