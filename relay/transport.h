#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "relay/c_handle.h"
#include "relay/event_loop.h"
#include "relay/status.h"

struct bufferevent;
struct event;
struct sockaddr_storage;
struct evbuffer;
struct ssl_ctx_st;
extern "C" void event_free(event*);

namespace relay {

// Where a Transport connects to or a listener listens: "unix:/run/x.sock" (or
// "unix:///run/x.sock"), "127.0.0.1:8080" or "[::1]:8080". Names are not resolved here: a lookup
// would block the loop.
struct SocketAddress {
  std::string unix_path{};  // Not empty: a unix socket.
  std::string host{};       // An IPv4 or IPv6 address without brackets.
  int port = 0;

  // InvalidArgument names what is wrong, for a socket path over 107 bytes too.
  static Result<SocketAddress> Parse(std::string_view text);
  std::string ToString() const;
  // Fills `storage` and returns how many bytes of it count. Requires: the address is one that
  // Parse() gave.
  unsigned ToSockaddr(sockaddr_storage* storage) const;
};

// What a Transport tells its owner. No call comes from inside a call of the owner's; the owner may
// destroy the Transport in any of them.
class TransportObserver {
 public:
  virtual ~TransportObserver() = default;
  virtual void OnConnected() {}
  // There are new bytes in input().
  virtual void OnReadable() = 0;
  // All that was written has gone out to the kernel, after a moment in which it could not.
  virtual void OnDrained() {}
  // The other side closed, or an error struck; `why` says which. Nothing follows, but for one case:
  // after a half_closed() end the owner may still write, and a failing write is told here again.
  virtual void OnClosed(const Status& why) = 0;
};

// A byte stream on a libevent bufferevent, plain, unix socket or TLS, that makes one write of all
// that was appended in a turn of the loop. That is what turns a turn's commands into one group
// commit of Redis, and it saves a plain connection two epoll_ctl calls for each answer. A plain one
// also reads by itself: libevent asks the kernel how much there is before each read, and takes at
// most 4 KiB of it.
//
// `loop` and `observer` outlive it. Loop thread only. Destroying it closes the socket at once.
class Transport final : private TurnEndHook {
 public:
  // Takes over a connected socket `fd` (non-blocking).
  static std::unique_ptr<Transport> Accept(SystemLoop& loop, int fd, TransportObserver& observer);
  // Starts connecting; OnConnected or OnClosed follows. With `tls`, a verified TLS session is set
  // up for `server_name` before OnConnected; the context is borrowed and outlives the Transport.
  static Result<std::unique_ptr<Transport>> Connect(SystemLoop& loop, const SocketAddress& address,
                                                    TransportObserver& observer,
                                                    ssl_ctx_st* tls = nullptr,
                                                    const std::string& server_name = "");
  ~Transport() override;

  // Bytes that have come.
  evbuffer* input();
  // Takes `bytes`, which the owner has understood, off the front of input().
  void Drain(size_t bytes);
  // The buffer to append to.
  evbuffer* output();
  // Must follow an append to output(): has it sent at the end of this turn.
  void Flush();
  // Sends what is left in output() and then closes the sending side. The other side's close then
  // comes as OnClosed.
  void ShutdownAfterWrite();
  // What has been appended and not been taken by the kernel.
  size_t unsent_bytes() const;
  // Reading stops while input() holds this many bytes (default: 64 KiB); Drain() resumes it.
  void LimitInput(size_t bytes);
  // True when the other side has ended its sending in good order. It may have closed altogether, or
  // still wait for an answer: only writing tells.
  bool half_closed() const { return half_closed_; }
  int fd() const;

 private:
  Transport(SystemLoop& loop, bufferevent* events, TransportObserver& observer, bool tls);
  static void HandleRead(bufferevent*, void* self) noexcept;
  static void HandleWritten(bufferevent*, void* self) noexcept;
  static void HandleEvent(bufferevent*, short what, void* self) noexcept;
  static void HandleReadable(int fd, short what, void* self) noexcept;
  void OnTurnEnd() override;
  void BeginReading();
  void ReadPlain();
  void EndReading(const Status& why);
  void UpdateReading();
  void FlushPlain();
  void CloseSending();

  SystemLoop& loop_;
  bufferevent* events_;
  TransportObserver& observer_;
  const bool tls_;
  std::unique_ptr<event, FreeWith<event_free>> readable_;  // Of a plain one that is connected.
  size_t input_max_ = 0;
  bool connected_ = false;
  bool waiting_to_read_ = false;  // `readable_` is armed.
  bool half_closed_ = false;
  bool shutdown_after_write_ = false;
  bool waiting_to_write_ = false;  // The kernel took less than all; libevent writes the rest.
};

}  // namespace relay
