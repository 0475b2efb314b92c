#pragma once

#include <memory>
#include <string>

#include "relay/redis_scripts.h"
#include "relay/stream_layout.h"

namespace relay {

// One uninterrupted ownership of a partition by this worker, under one Redis process. Everything
// that is read, delivered and settled holds the tenure it happens under; when the tenure is over
// (lease lost, partition given back, Redis restarted) what still comes under it is dropped, and the
// next owner finds the work in Redis.
//
// Shared, because deliveries in flight outlive the ownership.
struct Tenure {
  int partition = 0;
  PartitionKeys keys;
  OwnerToken owner;        // What every script is handed.
  std::string run_id;      // The Redis process whose stream ids these are.
  bool returning = false;  // Being given back: nothing new is read or taken.
  bool gained = false;     // Has been announced to those who work on it.
  bool over = false;       // Set once, by the PartitionOwner.
};

using TenurePtr = std::shared_ptr<Tenure>;

}  // namespace relay
