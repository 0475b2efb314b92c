#include "tests/support/fake_name_server.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relay/ascii.h"
#include "relay/check.h"

namespace relay {
namespace {

constexpr size_t kHeaderBytes = 12;
constexpr uint16_t kTypeA = 1;
constexpr uint16_t kTypeAaaa = 28;

void Append16(std::string& out, uint32_t value) {
  out += static_cast<char>(value >> 8);
  out += static_cast<char>(value);
}
void Append32(std::string& out, uint32_t value) {
  Append16(out, value >> 16);
  Append16(out, value & 0xffff);
}

// Takes the name that starts at `at`, which then stands behind it. RFC 1035 section 4.1.2.
std::string TakeName(const std::string& query, size_t& at) {
  std::string name;
  while (at < query.size() && query[at] != 0) {
    const auto length = static_cast<unsigned char>(query[at]);
    if (!name.empty()) name += '.';
    name += LowerCase(query.substr(at + 1, length));
    at += 1 + length;
  }
  ++at;
  return name;
}

void AppendRecord(std::string& out, const IpAddress& address, uint32_t ttl_s) {
  const size_t bytes = address.v6 ? 16 : 4;
  Append16(out, 0xc000 | kHeaderBytes);  // The name in the question.
  Append16(out, address.v6 ? kTypeAaaa : kTypeA);
  Append16(out, 1);
  Append32(out, ttl_s);
  Append16(out, static_cast<uint32_t>(bytes));
  out.append(reinterpret_cast<const char*>(address.bytes.data()), bytes);
}

}  // namespace

FakeNameServer::FakeNameServer(SystemLoop& loop, OnQuestion on_question)
    : on_question_(std::move(on_question)),
      fd_(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  RELAY_CHECK(bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0);
  RELAY_CHECK(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
  readable_.reset(event_new(
      loop.base(), fd_, EV_READ | EV_PERSIST,
      [](evutil_socket_t, short, void* self) { static_cast<FakeNameServer*>(self)->OnReadable(); },
      this));
  RELAY_CHECK(readable_ && event_add(readable_.get(), nullptr) == 0);
}

FakeNameServer::~FakeNameServer() {
  readable_.reset();
  close(fd_);
}

void FakeNameServer::OnReadable() {
  char bytes[512];
  sockaddr_in from{};
  socklen_t from_size = sizeof from;
  ssize_t size;
  while ((size = recvfrom(fd_, bytes, sizeof bytes, 0, reinterpret_cast<sockaddr*>(&from),
                          &from_size)) > 0) {
    const std::string reply = Reply(std::string(bytes, static_cast<size_t>(size)));
    if (reply.empty()) continue;
    sendto(fd_, reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from), from_size);
  }
}

std::string FakeNameServer::Reply(const std::string& query) {
  size_t at = kHeaderBytes;
  const std::string name = TakeName(query, at);
  if (at + 4 > query.size()) return "";
  const bool v6 = static_cast<unsigned char>(query[at + 1]) == kTypeAaaa;
  questions_ += !v6;
  const Answer answer = on_question_(name, v6);
  if (answer.silent) return "";

  std::string records;
  uint32_t count = 0;
  for (const std::string& text : answer.addresses) {
    const IpAddress address = IpAddress::Parse(text).value();
    if (address.v6 != v6) continue;
    AppendRecord(records, address, answer.ttl_s);
    ++count;
  }
  std::string reply = query.substr(0, 2);
  Append16(reply, 0x8180 | (answer.no_such_name ? 3 : 0));
  Append16(reply, 1);
  Append16(reply, count);
  Append32(reply, 0);
  return reply + query.substr(kHeaderBytes, at + 4 - kHeaderBytes) + records;
}

}  // namespace relay
