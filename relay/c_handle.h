#pragma once

namespace relay {

// The deleter that gives a C library's handle an owner:
//   using EventBasePtr = std::unique_ptr<event_base, FreeWith<event_base_free>>;
template <auto Free>
struct FreeWith {
  template <typename T>
  void operator()(T* handle) const {
    Free(handle);
  }
};

}  // namespace relay
