#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "relay/event.h"
#include "relay/random.h"

namespace relay {

// What the outside world knows: which callbacks were acknowledged, and what each endpoint received.
// It outlives every crash of Redis, and at the end it is the judge of what was lost.
//
// A callback that a provider sends twice has the same event id; the copies are one group, and the
// group is owed once.
class Model {
 public:
  static constexpr int kEndpoints = 18;

  // A new callback, in three of twenty cases a repeat of an earlier one. Returns its number.
  int NewEvent(Random& random);
  Event EventOf(int number) const;
  // The number of the event, back from its body.
  static int NumberOf(const Event& event);
  // Who is owed the event: 0, 3 or 12 of the endpoints.
  std::vector<uint64_t> EndpointsOf(int number) const;

  void Accepted(int number) { accepted_.insert(number); }
  // Acknowledged before a write was known to be on disk: does not count any more.
  void NotAccepted(int number) { accepted_.erase(number); }
  void Delivered(int number, uint64_t endpoint) { ++delivered_[Key(number, endpoint)]; }
  void Dropped(int number, uint64_t endpoint) { dropped_.insert(Key(number, endpoint)); }

  // A sentence for each delivery that was owed and is nowhere. `dead` holds what stands in dead
  // letters at the end.
  std::vector<std::string> Lost(const std::set<std::pair<int, uint64_t>>& dead) const;

  int64_t accepted() const { return static_cast<int64_t>(accepted_.size()); }
  int64_t deliveries() const;
  int64_t duplicates() const;

 private:
  using GroupEndpoint = std::pair<int, uint64_t>;
  GroupEndpoint Key(int number, uint64_t endpoint) const { return {groups_[number], endpoint}; }

  std::vector<int> groups_;  // By number: the first event of its group.
  std::vector<int> sizes_;   // Bytes of padding in the body.
  std::set<int> accepted_;
  std::map<GroupEndpoint, int> delivered_;
  std::set<GroupEndpoint> dropped_;
};

}  // namespace relay
