#pragma once

#include <string>
#include <string_view>

#include "relay/http_server.h"

namespace relay {

// What an answer says about its connection. HTTP/1.1 stays without a word and HTTP/1.0 does not.
enum class HttpPersistence { kStays, kStaysSaidAloud, kCloses };

// Appends the whole answer, head and body, to `out`. An answer to HEAD keeps the length of the body
// that a GET would have had and leaves the body out; so do 204 and 304, without a length.
void ComposeHttpAnswer(const HttpAnswer& answer, bool to_head, HttpPersistence persistence,
                       std::string* out);

// {"code":<status>,"error":"<word>"}: the body of every refusal. `word` needs no escaping.
std::string HttpErrorBody(int status, std::string_view word);

}  // namespace relay
