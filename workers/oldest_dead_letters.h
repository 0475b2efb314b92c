#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "relay/call_scope.h"
#include "relay/event_loop.h"
#include "relay/redis_client.h"
#include "relay/redis_dead_letters.h"

namespace relay {

// Reads the dead letters of a partition in the order of their deaths over all of its endpoints, for
// somebody who drops them as he goes: it holds a page for each endpoint, and reads the next one
// from the beginning of what is left.
//
// References outlive it. Destroying it cancels its callback. Loop thread only.
class OldestDeadLetters {
 public:
  struct Letter {
    uint64_t endpoint = 0;
    Member member;
    int64_t died_ms = 0;
  };
  using Done = std::function<void(Result<std::vector<Letter>>)>;

  // Those that died until `until_ms`, by Redis's clock.
  OldestDeadLetters(EventLoop& loop, RedisClient& redis, const PartitionKeys& keys,
                    const std::vector<uint64_t>& endpoints, int64_t until_ms);

  // Calls `done` once with the next ones, at most `count`, later. None: there are no more.
  //
  // Requires: what it gave before has been dropped or passed to Skip(), and so has its `done`.
  void Next(size_t count, Done done);
  // `letter` stays where it is, and is not given again.
  void Skip(const Letter& letter);

 private:
  struct Endpoint {
    std::deque<DeadMember> page;
    int64_t skipped = 0;
    bool read_out = false;  // Redis has none beyond the page.
  };

  void Fetch();
  void OnPage(uint64_t endpoint, const Result<RedisValue>& reply);
  void Merge();
  void Finish(Result<std::vector<Letter>> result);

  EventLoop& loop_;
  RedisClient& redis_;
  const PartitionKeys& keys_;
  const int64_t until_ms_;
  const int64_t page_size_;
  std::map<uint64_t, Endpoint> endpoints_;
  std::set<uint64_t> wanting_;                    // Endpoints whose page must be read.
  std::set<std::pair<int64_t, uint64_t>> heads_;  // Death of the first of a page, endpoint.
  size_t count_ = 0;
  int pages_open_ = 0;
  Status failed_;
  Done done_;
  CallScope scope_;
};

}  // namespace relay
