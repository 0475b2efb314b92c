#include <limits>

#include <boost/beast/http/basic_parser.hpp>

#include "tests/fuzz/http_oracle.h"

namespace relay {

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

std::string_view View(beast::string_view text) {
  return {text.data(), text.size()};
}

// Keeps what is called back; everything else is Beast's own grammar.
class BeastReader final : public http::basic_parser<true> {
 public:
  BeastReader() {
    eager(true);
    header_limit(std::numeric_limits<uint32_t>::max());
    body_limit(std::numeric_limits<uint64_t>::max());
  }

  OracleCollector collector;

 private:
  void on_request_impl(http::verb, beast::string_view method, beast::string_view target, int,
                       beast::error_code&) override {
    collector.reading.method = View(method);
    collector.reading.target = View(target);
  }
  void on_response_impl(int, beast::string_view, int, beast::error_code&) override {}
  void on_field_impl(http::field, beast::string_view name, beast::string_view value,
                     beast::error_code&) override {
    collector.OnName(View(name));
    collector.OnValue(View(value));
  }
  void on_header_impl(beast::error_code&) override { collector.head_done = true; }
  void on_body_init_impl(const boost::optional<uint64_t>&, beast::error_code&) override {}
  size_t on_body_impl(beast::string_view body, beast::error_code&) override {
    collector.reading.body += View(body);
    return body.size();
  }
  void on_chunk_header_impl(uint64_t, beast::string_view, beast::error_code&) override {}
  size_t on_chunk_body_impl(uint64_t, beast::string_view body, beast::error_code&) override {
    collector.reading.body += View(body);
    return body.size();
  }
  void on_finish_impl(beast::error_code&) override {}
};

// Feeds bytes[*at, end), from the first that was not consumed. False on an error.
bool Feed(BeastReader& reader, std::string_view bytes, size_t end, size_t* at) {
  while (*at < end && !reader.is_done()) {
    beast::error_code error;
    const size_t took = reader.put(boost::asio::buffer(bytes.data() + *at, end - *at), error);
    *at += took;
    if (error == http::error::need_more) return true;
    if (error) {
      reader.collector.reading.error = error.message();
      return false;
    }
    if (took == 0) return true;
  }
  return true;
}

}  // namespace

OracleReading ReadWithBeast(std::string_view bytes) {
  // Beast knows nothing of RFC 9112, section 2.2, by which a server ignores an empty line before
  // the request line.
  if (bytes.starts_with("\r\n")) bytes.remove_prefix(2);
  BeastReader reader;
  size_t at = 0;
  const bool sound = Feed(reader, bytes, bytes.size() - 1, &at);
  reader.collector.reading.complete_early = reader.is_done();
  if (sound) Feed(reader, bytes, bytes.size(), &at);
  reader.collector.reading.complete = reader.is_done();
  reader.collector.TrimValues();
  return reader.collector.reading;
}

}  // namespace relay
