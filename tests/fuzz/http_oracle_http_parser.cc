#include <http_parser.h>

#include "tests/fuzz/http_oracle.h"

namespace relay {

namespace {

OracleCollector& Collector(http_parser* parser) {
  return *static_cast<OracleCollector*>(parser->data);
}

http_parser_settings Settings() {
  http_parser_settings settings;
  http_parser_settings_init(&settings);
  settings.on_url = [](http_parser* parser, const char* at, size_t size) {
    Collector(parser).reading.target.append(at, size);
    return 0;
  };
  settings.on_header_field = [](http_parser* parser, const char* at, size_t size) {
    Collector(parser).OnName({at, size});
    return 0;
  };
  settings.on_header_value = [](http_parser* parser, const char* at, size_t size) {
    Collector(parser).OnValue({at, size});
    return 0;
  };
  settings.on_headers_complete = [](http_parser* parser) {
    Collector(parser).head_done = true;
    return 0;
  };
  settings.on_body = [](http_parser* parser, const char* at, size_t size) {
    Collector(parser).reading.body.append(at, size);
    return 0;
  };
  settings.on_message_complete = [](http_parser* parser) {
    Collector(parser).done = true;
    return 0;
  };
  return settings;
}

}  // namespace

OracleReading ReadWithHttpParser(std::string_view bytes) {
  const http_parser_settings settings = Settings();
  OracleCollector collector;
  http_parser parser;
  http_parser_init(&parser, HTTP_REQUEST);
  parser.data = &collector;
  http_parser_execute(&parser, &settings, bytes.data(), bytes.size() - 1);
  collector.reading.complete_early = collector.done;
  http_parser_execute(&parser, &settings, bytes.data() + bytes.size() - 1, 1);
  collector.reading.complete = collector.done;
  if (HTTP_PARSER_ERRNO(&parser) != HPE_OK) {
    collector.reading.error = http_errno_name(HTTP_PARSER_ERRNO(&parser));
  }
  collector.reading.method = http_method_str(static_cast<http_method>(parser.method));
  collector.TrimValues();
  return collector.reading;
}

}  // namespace relay
