#pragma once

#include <string>
#include <string_view>

namespace relay {

// A client socket on loopback that says exactly the bytes it is told to, well formed or not, for
// tests that run a server's loop in the same thread. Nothing here blocks: Look() takes what has
// come, the loop is run in between (see run_until.h).
class RawClient {
 public:
  static RawClient Connect(int port);
  static RawClient ConnectUnix(const std::string& path);
  // Of a socket that is connected already; takes it over.
  static RawClient Over(int fd) { return RawClient(fd); }
  RawClient(RawClient&& other) noexcept;
  RawClient& operator=(RawClient&&) = delete;
  ~RawClient();

  // Returns how many bytes the kernel took: all, unless the server has stopped reading.
  size_t Send(std::string_view bytes);
  // Takes in what has come. Returns *this, for use in a condition.
  RawClient& Look();
  const std::string& received() const { return received_; }
  // What has come since the last call.
  std::string Take();
  // The server has ended the connection, in good order or with a reset.
  bool closed() const { return closed_; }
  bool reset() const { return reset_; }
  // How many times `text` stands in what was received.
  int Count(std::string_view text) const;

  // Ends our sending and goes on reading.
  void EndSending();
  void Close();
  // Closes with a reset.
  void Abort();

 private:
  explicit RawClient(int fd) : fd_(fd) {}

  int fd_;
  std::string received_;
  bool closed_ = false;
  bool reset_ = false;
};

}  // namespace relay
