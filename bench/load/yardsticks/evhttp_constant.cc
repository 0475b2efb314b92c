// The least that a libevent program can do with a callback: reads it whole, stores nothing, and
// answers {"code":0}. What it takes is the price of evhttp.
//
//   evhttp_constant --port N      prints "ready"; SIGTERM ends it

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

void Answer(evhttp_request* request, void*) {
  evbuffer* body = evbuffer_new();
  evbuffer_add_printf(body, "{\"code\":0}");
  evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", "application/json");
  evhttp_send_reply(request, HTTP_OK, "OK", body);
  evbuffer_free(body);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 || std::strcmp(argv[1], "--port") != 0) {
    std::fprintf(stderr, "evhttp_constant --port N\n");
    return 2;
  }
  event_base* const base = event_base_new();
  evhttp* const server = evhttp_new(base);
  evhttp_set_gencb(server, &Answer, nullptr);
  const auto port = static_cast<uint16_t>(std::atoi(argv[2]));
  if (evhttp_bind_socket(server, "127.0.0.1", port) != 0) {
    std::perror("evhttp_constant");
    return 1;
  }
  std::puts("ready");
  std::fflush(stdout);
  event_base_dispatch(base);
  return 0;
}
