#pragma once

#include <string>
#include <vector>

namespace relay {

// How many of `partitions` the worker called `self` should own among the `live` ones: P ÷ live,
// and one of the remainder for each of the first workers in the order of their names. Were it
// simply rounded up, 4 of 5 workers would share 16 partitions and the fifth would stand idle.
//
// The shares of all live workers add up to `partitions`. A worker that does not find itself in
// `live` (its heartbeat has lapsed) counts itself in.
int FairShare(std::vector<std::string> live, const std::string& self, int partitions);

}  // namespace relay
