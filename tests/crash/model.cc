#include "tests/crash/model.h"

#include <cstdlib>

namespace relay {

int Model::NewEvent(Random& random) {
  const int number = static_cast<int>(groups_.size());
  const bool repeat = number > 0 && random.Unit() < 0.15;
  groups_.push_back(repeat ? groups_[random.Below(number)] : number);
  sizes_.push_back(static_cast<int>(random.Below(500)));
  return number;
}

Event Model::EventOf(int number) const {
  Event event;
  const std::string group = std::to_string(groups_[number]);
  event.id = std::string(32 - group.size(), '0') + group;
  event.source = "demo";
  event.tenant = "tenant-" + std::to_string(groups_[number] % 3);
  event.type = "100";
  event.window_ms = 600'000;
  event.body = std::to_string(number) + ":" + std::string(sizes_[number], 'x');
  return event;
}

int Model::NumberOf(const Event& event) {
  return std::atoi(event.body.c_str());
}

std::vector<uint64_t> Model::EndpointsOf(int number) const {
  const int group = groups_[number];
  const int count = group % 5 == 0 ? 0 : group % 7 == 0 ? 12 : 3;
  std::vector<uint64_t> endpoints;
  for (int i = 0; i < count; ++i) endpoints.push_back(1 + (group + i) % kEndpoints);
  return endpoints;
}

std::vector<std::string> Model::Lost(const std::set<std::pair<int, uint64_t>>& dead) const {
  std::set<GroupEndpoint> dead_groups;
  for (const auto& [number, endpoint] : dead) dead_groups.insert(Key(number, endpoint));
  std::vector<std::string> lost;
  for (const int number : accepted_) {
    for (const uint64_t endpoint : EndpointsOf(number)) {
      const GroupEndpoint key = Key(number, endpoint);
      if (!delivered_.contains(key) && !dropped_.contains(key) && !dead_groups.contains(key)) {
        lost.push_back("event " + std::to_string(number) + " is lost for endpoint " +
                       std::to_string(endpoint));
      }
    }
  }
  return lost;
}

int64_t Model::deliveries() const {
  int64_t sum = 0;
  for (const auto& [key, count] : delivered_) sum += count;
  return sum;
}

int64_t Model::duplicates() const {
  return deliveries() - static_cast<int64_t>(delivered_.size());
}

}  // namespace relay
