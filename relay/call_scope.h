#pragma once

#include <memory>
#include <utility>

namespace relay {

// Ties callbacks to the life of the object that waits for them. Whoever asks for something later
// owns a CallScope and hands it along; once the scope is gone its callbacks do not come. So `this`
// captured beside a scope that is a member of the same object cannot dangle.
//
// Declare it as the last member: it then dies first.
class CallScope {
 public:
  // What the other side keeps: asks whether the scope still stands.
  class Watch {
   public:
    Watch() = default;
    bool gone() const { return !alive_ || !*alive_; }

   private:
    friend class CallScope;
    explicit Watch(std::shared_ptr<bool> alive) : alive_(std::move(alive)) {}
    // Shared because neither side knows which of the two ends first.
    std::shared_ptr<bool> alive_;
  };

  CallScope() : alive_(std::make_shared<bool>(true)) {}
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;
  ~CallScope() { *alive_ = false; }

  Watch watch() const { return Watch(alive_); }
  // Drops every callback asked for so far; the scope can be used again.
  void CancelAll() {
    *alive_ = false;
    alive_ = std::make_shared<bool>(true);
  }

 private:
  std::shared_ptr<bool> alive_;
};

}  // namespace relay
