#pragma once

#include <span>
#include <string>
#include <string_view>

namespace relay {

// Writes `body` to `out` with "***" in the place of the values of the parameters called `names`,
// such as the txSecret of "...?txSecret=5a3b&txTime=63F5"; false, with `out` untouched, when none
// is there. Every other byte stays, so JSON stays JSON.
//
// Parameters are found wherever they stand in the body: in `stream_param`, which is a query by
// itself, in the query of a URL in any member at any depth, in JSON inside strings, and in a body
// that is no JSON at all. A value ends at '&', '#', a quote, an angle bracket, a blank or a control
// character; any of these, and the '=', may be written as JSON or percent-encoding writes them
// ("\u0026", "%26"). Names are found in their plain spelling only, which is how encoders write
// letters and digits.
bool RedactParameters(std::string_view body, std::span<const std::string> names, std::string& out);

}  // namespace relay
