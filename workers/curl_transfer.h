#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "relay/c_handle.h"
#include "workers/http_client.h"

namespace relay {

// A list of headers in libcurl's form, built in place over one text: no allocation a header.
class CurlHeaderList {
 public:
  // `lines`: "name: value\n" each. `next`, borrowed, follows the last of them.
  void Assign(std::string lines, curl_slist* next);
  // The first header, or `next` when there is none.
  curl_slist* first() { return nodes_.empty() ? next_ : nodes_.data(); }

 private:
  std::string text_;
  std::vector<curl_slist> nodes_;
  curl_slist* next_ = nullptr;
};

// One libcurl handle of CurlHttpClient: the options that keep it safe, the request that it carries,
// and what has come of the answer. Used for one request after the other; for the next one of the
// same route only headers and body are set anew. It does not move: libcurl knows its address.
class CurlTransfer {
 public:
  using CloseSocket = int (*)(void* owner, curl_socket_t fd);

  // `limits` and `socket_owner` outlive it, and the latter every connection that it opens.
  CurlTransfer(const CurlHttpClient::Limits& limits, void* socket_owner, CloseSocket close_socket);
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  CURL* easy() { return easy_.get(); }
  // The transfer that an easy handle belongs to.
  static CurlTransfer& Of(CURL* easy);

  // The route that it is set up for; null when it has served none.
  const HttpRoute* route() const { return route_.get(); }
  // Makes it ready to be added to a multi handle.
  void Begin(HttpPost post, HttpClient::Done done);
  // The transfer has ended with `code`; hands the callback back, to be called with the reply.
  std::pair<HttpClient::Done, HttpReply> End(CURLcode code);
  // Forgets the request; no callback comes of it.
  void Drop();

 private:
  void SetOptions(void* socket_owner, CloseSocket close_socket);
  void SetRoute(std::shared_ptr<const HttpRoute> route);
  void SetAddress(const IpAddress& address);

  static curl_socket_t OpenSocket(void* self, curlsocktype purpose,
                                  curl_sockaddr* address) noexcept;
  static size_t TakeHeadLine(char* bytes, size_t size, size_t count, void* self) noexcept;
  static size_t TakeBody(char* bytes, size_t size, size_t count, void* self) noexcept;
  bool OnHeadLine(std::string_view line);
  bool OnBody(std::string_view bytes);
  HttpError ClassOf(CURLcode code) const;

  const CurlHttpClient::Limits& limits_;
  std::unique_ptr<CURL, FreeWith<curl_easy_cleanup>> easy_;
  // What it is set up for.
  std::shared_ptr<const HttpRoute> route_;
  IpAddress address_;
  std::string pin_;
  curl_slist pin_node_{};
  char no_expect_text_[8] = "Expect:";
  curl_slist no_expect_{};
  CurlHeaderList route_headers_;
  // The request under way.
  CurlHeaderList post_headers_;
  HttpClient::Done done_;
  HttpReply reply_;
  size_t answer_kept_ = 0;
  size_t answer_bytes_ = 0;
  size_t head_bytes_ = 0;
  int informational_ = 0;
  int status_seen_ = 0;  // Of the head that is coming in.
  bool head_too_large_ = false;
  bool answer_cut_ = false;
};

}  // namespace relay
