#include <llhttp.h>

#include "tests/fuzz/http_oracle.h"

namespace relay {

namespace {

OracleCollector& Collector(llhttp_t* parser) {
  return *static_cast<OracleCollector*>(parser->data);
}

llhttp_settings_t Settings() {
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_url = [](llhttp_t* parser, const char* at, size_t size) {
    Collector(parser).reading.target.append(at, size);
    return 0;
  };
  settings.on_header_field = [](llhttp_t* parser, const char* at, size_t size) {
    Collector(parser).OnName({at, size});
    return 0;
  };
  settings.on_header_value = [](llhttp_t* parser, const char* at, size_t size) {
    Collector(parser).OnValue({at, size});
    return 0;
  };
  // An empty value is told by no call of on_header_value.
  settings.on_header_value_complete = [](llhttp_t* parser) {
    Collector(parser).OnValue({});
    return 0;
  };
  settings.on_headers_complete = [](llhttp_t* parser) {
    Collector(parser).head_done = true;
    return 0;
  };
  settings.on_body = [](llhttp_t* parser, const char* at, size_t size) {
    Collector(parser).reading.body.append(at, size);
    return 0;
  };
  settings.on_message_complete = [](llhttp_t* parser) {
    Collector(parser).done = true;
    return 0;
  };
  return settings;
}

}  // namespace

OracleReading ReadWithLlhttp(std::string_view bytes) {
  const llhttp_settings_t settings = Settings();
  OracleCollector collector;
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &settings);
  parser.data = &collector;
  llhttp_errno_t error = llhttp_execute(&parser, bytes.data(), bytes.size() - 1);
  collector.reading.complete_early = collector.done;
  if (error == HPE_OK) error = llhttp_execute(&parser, bytes.data() + bytes.size() - 1, 1);
  collector.reading.complete = collector.done;
  // A request with "Connection: upgrade" is read to its end and then announced by this "error".
  if (error != HPE_OK && error != HPE_PAUSED_UPGRADE) {
    collector.reading.error = llhttp_errno_name(error);
  }
  collector.reading.method = llhttp_method_name(static_cast<llhttp_method_t>(parser.method));
  collector.TrimValues();
  return collector.reading;
}

}  // namespace relay
