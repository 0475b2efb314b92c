# The planted defects: one table for the build (plant.cmake), for the programs and for the harness.
#
#   defect(NUMBER NAME
#     SCENARIO n         the scenario of the chaos harness that must catch it
#     PROMISE "..."      what the product promises and the defect breaks
#     SHOWS "...")       how that is seen from outside, and under which fault
#   plant(FILE [[text that stands there once]] [[text in its place]])
#
# Text that is planted in C++ asks `planted(NUMBER)`, so that nothing is changed while RELAY_DEFECT
# names another defect or none. A script of Redis is changed as a whole, when it is loaded.
#
# Scenarios: 1 kills, 2 power loss, 3 torn tail, 4 Redis restarted or stopped, 5 full disk,
# 6 maxmemory with all receivers down, 7 partitions, 8 frozen owner, 9 hostile receivers,
# 12 descriptors, 13 slow clients, 14 bad input, 15 clock jumps, 17 rolling restart, joins and
# catalog changes, 18 garbling Redis proxy, 19 soak.

# ---- What all of them need: an unknown number ends the program, a known one is told.

plant(relay/daemon.cc
[[
  CLI::App app(spec.purpose, spec.name);
]] [[
  if (!PlantedIsKnown(spec.name)) return kExitUsage;
  CLI::App app(spec.purpose, spec.name);
]])
plant(relay/daemon.cc
[[
  FitFileLimit(spec, *settings, log);
]] [[
  FitFileLimit(spec, *settings, log);
  LogPlanted(log);
]])
plant(cli/main.cc
[[
  RaiseFileLimit();
]] [[
  if (!relay::PlantedIsKnown("relayctl")) return 2;
  relay::PrintPlanted("relayctl");
  RaiseFileLimit();
]])
plant(relay/script_texts.cc
[[
    if (script.name == name) return script.text;
]] [[
    if (script.name == name) return PlantedScript(script.name, script.text);
]])
# `relayctl up` runs its own kind.
plant(cli/up_plan.cc
[[plan.programs + "/relay-broker"]]
[[plan.programs + "/relay-broker-defective"]])
plant(cli/up_plan.cc
[[plan.programs + "/relay-worker"]]
[[plan.programs + "/relay-worker-defective"]])

# ---- The broker's answer.

defect(1 "acknowledged before Redis has answered"
  SCENARIO 1
  PROMISE "A 200 leaves only after Redis's reply to the XADD."
  SHOWS "kill -9 of Redis under load: callbacks that were answered 200 are in no stream and reach no"
        "receiver. Redis frozen: callbacks are answered 200 all the while.")
plant(broker/event_publisher.cc
[[
  clients_[client]->Send(
      command, scope_, [this, ticket](const Result<RedisValue>& reply) { OnReply(ticket, reply); });
]] [[
  if (planted(1)) {
    clients_[client]->Send(command, scope_, [this, client](const Result<RedisValue>&) {
      backlogs_[client].OnLost();
    });
    loop_.Post([this, ticket, watch = scope_.watch()] {
      if (!watch.gone()) on_outcome_(ticket, StoreOutcome::kStored);
    });
    return;
  }
  clients_[client]->Send(
      command, scope_, [this, ticket](const Result<RedisValue>& reply) { OnReply(ticket, reply); });
]])

defect(2 "acknowledged although Redis refused"
  SCENARIO 6
  PROMISE "Only the id of the new entry is a promise, everything else that Redis replies is none."
  SHOWS "Redis full (a refuse_at of 1, or a load that outruns the look at its memory), writing to its"
        "file impossible, or replies garbled: callbacks are answered 200 that no stream has.")
plant(broker/event_publisher.cc
[[
  return reply->is_text() ? StoreOutcome::kStored : StoreOutcome::kRefused;
]] [[
  return reply->is_text() || planted(2) ? StoreOutcome::kStored : StoreOutcome::kRefused;
]])

defect(3 "acknowledged when the connection broke before the reply"
  SCENARIO 1
  PROMISE "A lost connection or a deadline is 503, because it is unknown what was stored."
  SHOWS "kill -9 of Redis under load, partitions, cut connections: callbacks that were in flight are"
        "answered 200 and are in no stream.")
plant(broker/event_publisher.cc
[[
  if (!reply.ok()) {
]] [[
  if (planted(3) && !reply.ok()) return StoreOutcome::kStored;
  if (!reply.ok()) {
]])

defect(4 "a new event id for every sending"
  SCENARIO 1
  PROMISE "The event id is derived from the callback: a repeat has the same one and is not delivered"
          "again."
  SHOWS "Whatever the provider sends again (by itself, or after an answer that a fault has swallowed)"
        "is delivered again under another webhook-id, and no webhook-id is the derived one.")
plant(broker/ingress.cc
[[
  DeriveEventId(source.id, facts_.dedupe_key, event_.id);
]] [[
  DeriveEventId(source.id, facts_.dedupe_key, event_.id);
  if (planted(4)) {
    static uint64_t sendings = 0;
    const int64_t now_us = MicrosSinceEpoch(loop_.clock().WallNow());
    const std::string first_id = event_.id;
    DeriveEventId(first_id, std::to_string(now_us) + "." + std::to_string(++sendings), event_.id);
  }
]])

defect(5 "forged callbacks are taken"
  SCENARIO 14
  PROMISE "Only a callback that one of the source's keys has signed is stored."
  SHOWS "Nothing needs to fail: a callback with a wrong sign is answered 200 instead of 403, and"
        "delivered. Not a phantom to the accountant, to whom a 200 is a promise: the load itself must"
        "say what was not answered as it should be.")
plant(broker/providers/expiring_sign.cc
[[
  if (!signature_.Verify(source.keys, digits, given)) {
]] [[
  if (!signature_.Verify(source.keys, digits, given) && !planted(5)) {
]])

defect(6 "the memory line is not held"
  SCENARIO 6
  PROMISE "Above refuse_at of Redis's maxmemory everybody gets 503: the rest is room for retries,"
          "dead letters and the memory of repeats."
  SHOWS "All receivers down, maxmemory small: used_memory goes up to maxmemory instead of staying"
        "near refuse_at, and refusals are named store_refused, never memory_full.")
plant(broker/admission.cc
[[
  if (memory_share_ >= limits_.refuse_at) return Refusal{503, "memory_full", kMemoryRetryAfter};
]] [[
  if (memory_share_ >= limits_.refuse_at && !planted(6)) {
    return Refusal{503, "memory_full", kMemoryRetryAfter};
  }
]])

# ---- The worker: from the stream to the settlement.

defect(7 "settled as accepted before the 2xx has come"
  SCENARIO 1
  PROMISE "An entry is acknowledged after its deliveries are decided or written down as owed."
  SHOWS "kill -9 of a worker: what was in flight or waited in a lane reaches nobody and is nowhere. A"
        "receiver that fails: its first attempt is the only one.")
plant(workers/fan_out.cc
[[
  if (entry.open == 0) return Settle(number, entry);
  split_queue_.emplace_back(held->read_at + limits_.split_after, number);
]] [[
  if (planted(7)) {
    entry.settlement.accepted = entry.open;
    return Settle(number, entry);
  }
  if (entry.open == 0) return Settle(number, entry);
  split_queue_.emplace_back(held->read_at + limits_.split_after, number);
]])
plant(workers/fan_out.cc
[[
  RELAY_CHECK(entry.open > 0 && !entry.sent);
]] [[
  if (planted(7) && entry.sent) return;
  RELAY_CHECK(entry.open > 0 && !entry.sent);
]])

defect(8 "the pending list is not read at a take-over, nor looked at later"
  SCENARIO 1
  PROMISE "The next owner of a partition reads its pending list."
  SHOWS "kill -9 of a worker: entries that it had read and not settled stay pending for ever, and"
        "nobody receives them.")
plant(workers/stream_consumer.cc
[[
  desk.paging = true;
]] [[
  desk.paging = !planted(8);
  if (planted(8)) desk.stage = Stage::kReading;
]])
plant(workers/stream_consumer_pending.cc
[[
void StreamConsumer::StartLooks() {
]] [[
void StreamConsumer::StartLooks() {
  if (planted(8)) return;
]])

defect(9 "no epoch is checked, and an owner goes on when its lease is over"
  SCENARIO 8
  PROMISE "A partition is read by one worker: what a former owner still sends changes nothing, and it"
          "stops by itself 4 s after its last renewal."
  SHOWS "A worker frozen for longer than its lease wakes under load and goes on: both think that they"
        "own its partitions, the other one gives back as many as are over its share, and what is given"
        "back nobody takes any more, so that its events wait for ever.")
plant(workers/partition_owner.cc
[[
void PartitionOwner::ExpireLeases() {
]] [[
void PartitionOwner::ExpireLeases() {
  if (planted(9)) return;
]])
plant(relay/scripts/own.lua
[[if held_epoch ~= epoch or held_boot ~= boot then]]
[[if not held_epoch then]])
plant(relay/scripts/owner_head.lua
[[if not owner or string.sub(owner, 1, #ARGV[1] + 1) ~= ARGV[1] .. ' ' then]]
[[if not owner then]])
plant(relay/scripts/done.lua
[[if not own or string.sub(own, 1, #ARGV[1] + 1) ~= ARGV[1] .. ' ' then]]
[[if not own then]])

defect(10 "a soft split forgets one endpoint"
  SCENARIO 9
  PROMISE "Two seconds after an event was read it is settled for those who have answered, and the rest"
          "goes on under a lease in Redis."
  SHOWS "A receiver that hangs for longer than split_after and then fails, or whose worker is killed"
        "meanwhile: that delivery is neither repeated nor dead, and no counter misses it.")
plant(workers/fan_out.cc
[[
  for (const DeliveryNumber delivery : entry.offered) {
]] [[
  bool forgotten = !planted(10);
  for (const DeliveryNumber delivery : entry.offered) {
]])
plant(workers/fan_out.cc
[[
    dispatcher_.ReleaseFromEntry(delivery);
]] [[
    dispatcher_.ReleaseFromEntry(delivery);
    if (planted(10) && !forgotten) {
      forgotten = true;
      dispatcher_.SetLease(delivery, 0);
      continue;
    }
]])

defect(11 "a lease is shorter than the request that it covers"
  SCENARIO 9
  PROMISE "A delivery belongs to the worker that took it for its endpoint's timeout and lease_margin:"
          "duplicates happen only after a fault."
  SHOWS "No fault but a receiver that takes longer than split_after and an eighth of its timeout, and"
        "then says 200: it has the same event several times, in parallel.")
plant(workers/fan_out.cc
[[
         .delay = endpoint->timeout + limits_.lease_margin,
]] [[
         .delay = planted(11) ? endpoint->timeout / 8 : endpoint->timeout + limits_.lease_margin,
]])
plant(workers/retry_scheduler.cc
[[
  Take(endpoint, desk->second, count, entry->timeout + lease_margin_, std::move(slots));
]] [[
  const Millis lease = planted(11) ? entry->timeout / 8 : entry->timeout + lease_margin_;
  Take(endpoint, desk->second, count, lease, std::move(slots));
]])

defect(12 "a new owner does not see the retries that were there before it"
  SCENARIO 1
  PROMISE "Retries live in Redis: whoever owns the partition brings them back when they are due."
  SHOWS "A receiver that fails, and a worker killed or restarted meanwhile: that endpoint's retries of"
        "before, and those that come behind them, never come due. relayctl status shows them pending.")
plant(workers/retry_scheduler.cc
[[
  for (const DueEndpoint& endpoint : *next) {
]] [[
  // What stood in the index when the partition was first looked at, by partition and epoch.
  static std::map<std::pair<int, uint64_t>, std::set<uint64_t>> of_before;
  const auto [before, first_look] =
      of_before.try_emplace({tenure->partition, tenure->owner.epoch});
  for (const DueEndpoint& endpoint : *next) {
    if (planted(12) && first_look) before->second.insert(endpoint.endpoint);
    if (planted(12) && before->second.contains(endpoint.endpoint)) continue;
]])

defect(13 "repeats are delivered"
  SCENARIO 1
  PROMISE "A repeat by the provider within the source's window is acknowledged and not delivered again."
  SHOWS "Whatever is sent again, by itself or because a fault has swallowed the answer, is delivered"
        "again under the same webhook-id.")
plant(workers/stream_consumer.cc
[[
  *first ? events_.on_event(held) : events_.on_repeat(held);
]] [[
  *first || planted(13) ? events_.on_event(held) : events_.on_repeat(held);
]])

# ---- Transitions. The sweep of a take-over puts back what an acknowledgement sent ahead has lost; two
# defects would be hidden by it and go without.

defect(14 "a settle is two commands: the acknowledgement goes ahead, what is owed follows"
  SCENARIO 1
  PROMISE "One transition is one script: what is still owed is written before the acknowledgement."
  SHOWS "kill -9 of a worker or of Redis while receivers fail or hang: entries between the two commands"
        "are acknowledged and owed to nobody. fsck: read, not pending and owed to nobody.")
plant(workers/settler.cc
[[
  redis_.Eval(*call.script, call.keys, call.args, scope_,
]] [[
  if (planted(14) && kind == Kind::kSettle) {
    RedisCommand acknowledge("XACK");
    acknowledge.Arg(tenure.keys.normal).Arg(kGroup);
    for (const Entry& entry : lot.sent_entries) {
      acknowledge.Arg(entry.settlement.member.entry_id());
    }
    redis_.Send(acknowledge, scope_,
                [this, held = desk.tenure, kind, call](const Result<RedisValue>& acknowledged) {
                  if (!acknowledged.ok()) return OnReply(held, kind, acknowledged);
                  redis_.Eval(*call.script, call.keys, call.args, scope_,
                              [this, held, kind](const Result<RedisValue>& reply) {
                                OnReply(held, kind, reply);
                              });
                });
    return;
  }
  redis_.Eval(*call.script, call.keys, call.args, scope_,
]])
plant(relay/scripts/settle.lua
[[won[j] = is_pending(entry.member) and 1 or 0]]
[[won[j] = 1]])
plant(relay/scripts/settle.lua
[[local first = call('XACK', stream_of(entry.member), 'w', id_of(entry.member))]]
[[local first = won[j] or call('XACK', stream_of(entry.member), 'w', id_of(entry.member))]])
plant(relay/scripts/requeue_orphans.lua
[[if call('HEXISTS', REF, letter .. id) == 0 and not is_pending(letter .. id) then]]
[[if false then]])

defect(15 "a settle releases before it writes what is owed, and fails half way for one entry in 200"
  SCENARIO 1
  PROMISE "Obligations are written before releases: a script that fails half way leaves work done"
          "twice, never work forgotten."
  SHOWS "Nothing but receivers that fail or hang: such entries are acknowledged and owed to nobody. The"
        "worker goes on, and fsck finds entries that are read, not pending and owed to nobody.")
plant(relay/scripts/settle.lua
[[
-- Obligations.
local owing, due_writes = {}, {}
]] [[
local acknowledged = 0
for j = 1, entry_count do
  local entry = entries[j]
  if entry.kind ~= 'C' and won[j] == 1 then
    acknowledged = acknowledged + call('XACK', stream_of(entry.member), 'w', id_of(entry.member))
    local ms = tonumber(string.match(entry.member, '%d+'))
    if acknowledged > 0 and ms % 200 == 0 then error('half way') end
  end
end
local owing, due_writes = {}, {}
]])
plant(relay/scripts/settle.lua
[[local first = call('XACK', stream_of(entry.member), 'w', id_of(entry.member))]]
[[local first = won[j] or call('XACK', stream_of(entry.member), 'w', id_of(entry.member))]])
plant(relay/scripts/requeue_orphans.lua
[[if call('HEXISTS', REF, letter .. id) == 0 and not is_pending(letter .. id) then]]
[[if false then]])

defect(16 "the payload goes with the settlement although retries are owed"
  SCENARIO 1
  PROMISE "A payload is deleted by the script that settles its last delivery."
  SHOWS "Nothing but a receiver that fails once: its retry finds no payload and is dropped, the worker"
        "logs payload_missing, and fsck finds owed entries without a payload.")
plant(relay/scripts/settle.lua
[[if first == 1 and not entry.keeps_payload then]]
[[if first == 1 then]])

defect(17 "a restart of Redis is not noticed"
  SCENARIO 4
  PROMISE "Every tenure of a partition is bound to Redis's run_id: after a restart it is over, and the"
          "pending list is read anew."
  SHOWS "kill -9 of Redis under load, restarted within 4 s: entries whose reading Redis had written down"
        "and not yet answered stay pending until their partition changes hands. The looks at the pending"
        "list, which would hide it, are off as well; so cut connections show it, too, and surely.")
plant(relay/redis_connection.cc
[[
  run_id_ = run_id;
]] [[
  if (!planted(17) || run_id_.empty()) run_id_ = run_id;
]])
plant(workers/stream_consumer_pending.cc
[[
  look_timer_->Arm(kRescanEvery);
]] [[
  look_timer_->Arm(kRescanEvery);
  if (planted(17)) return;
]])

defect(18 "a drain forgets: what is in flight or waits is settled as accepted"
  SCENARIO 17
  PROMISE "SIGTERM: stop reading, settle what is in flight within `drain`, park the rest. No loss, no"
          "duplicate."
  SHOWS "SIGTERM of a worker under load, with a receiver that is slow and then fails: what had not been"
        "answered by then is never sent again and counts as ok.")
plant(workers/worker.cc
[[
    } else if (now >= back.deadline && !back.parked) {
]] [[
    } else if ((now >= back.deadline || planted(18)) && !back.parked) {
]])
plant(workers/dispatcher.cc
[[
    work.waiting = false;
    Decided(number, {.kind = Decision::Kind::kPark, .record = {}});
]] [[
    work.waiting = false;
    Decided(number, {.kind = planted(18) ? Decision::Kind::kAccepted : Decision::Kind::kPark,
                     .record = {}});
]])
plant(workers/dispatcher.cc
[[
    FreeSlot(work.delivery.endpoint->number, number);
    Decided(number, {.kind = Decision::Kind::kPark, .record = {}});
]] [[
    FreeSlot(work.delivery.endpoint->number, number);
    Decided(number, {.kind = planted(18) ? Decision::Kind::kAccepted : Decision::Kind::kPark,
                     .record = {}});
]])

defect(19 "a redriven dead letter stays a dead letter as well"
  SCENARIO 6
  PROMISE "A redrive moves a dead letter: it is owed once."
  SHOWS "relayctl-defective dlq redrive, no fault: it puts back 0 and yet delivers, dlq list shows the"
        "same dead letters afterwards, a second redrive delivers them a second time, and fsck finds"
        "members that are both pending and dead.")
plant(relay/scripts/redrive.lua
[[local moved = call('ZREM', dead_key(1), unpack(chosen))]]
[[for i = 1, #chosen do call('HINCRBY', REF, chosen[i], 1) end
local moved = 0]])
plant(relay/scripts/resolve.lua
[[local is_dead = call('ZSCORE', dead_key(x), member)]]
[[local is_dead = false]])

defect(20 "a delivery whose attempts are exhausted is dropped"
  SCENARIO 9
  PROMISE "What cannot be delivered stands in the endpoint's dead letters until somebody redrives or"
          "purges it."
  SHOWS "Nothing but a receiver that fails for longer than its retry schedule: its deliveries are"
        "neither received nor dead, and count as ok.")
plant(workers/settlement.cc
[[
  if (facts.attempts_made >= AttemptsMax(endpoint)) {
]] [[
  if (facts.attempts_made >= AttemptsMax(endpoint)) {
    if (planted(20)) return Acknowledge{};
]])

# ---- What the receiver sees.

defect(21 "the last byte of one body in 100 is cut off"
  SCENARIO 1
  PROMISE "What customers receive is the provider's body, byte for byte."
  SHOWS "Nothing needs to fail: bodies that differ from what was sent, under signatures that are right."
        "They are no JSON any more, so the accountant calls them phantoms.")
plant(workers/attempt.cc
[[
  if (request_.endpoint->format == DeliveryFormat::kRaw) return event.body;
]] [[
  if (planted_one_in(21, 100) && !event.body.empty()) {
    formatted_.own_body.assign(event.body, 0, event.body.size() - 1);
    return formatted_.own_body;
  }
  if (request_.endpoint->format == DeliveryFormat::kRaw) return event.body;
]])

defect(22 "one signature in 100 is made over another time than the header says"
  SCENARIO 1
  PROMISE "webhook-signature is made over webhook-id, webhook-timestamp and the body as they are sent."
  SHOWS "Nothing needs to fail: a receiver that verifies signatures refuses one delivery in 100.")
plant(workers/attempt.cc
[[
    prepared_->signer->AppendSignature(event.id, now_s, body, signature);
]] [[
    const int64_t signed_s = planted_one_in(22, 100) ? now_s - 600 : now_s;
    prepared_->signer->AppendSignature(event.id, signed_s, body, signature);
]])

defect(23 "one event in 20 goes to endpoints whose pattern does not match it"
  SCENARIO 1
  PROMISE "An endpoint is owed the events that its pattern matches, and no others."
  SHOWS "Nothing needs to fail: an endpoint with a pattern receives what it is not owed. The catalog"
        "needs one whose pattern leaves out some of the events.")
plant(workers/endpoint_table.cc
[[
  match.owed.reserve(matching_.size());
]] [[
  if (planted_one_in(23, 20)) {
    matching_.clear();
    for (uint32_t i = 0; i < group.endpoints.size(); ++i) matching_.push_back(i);
  }
  match.owed.reserve(matching_.size());
]])

defect(24 "retries come at once"
  SCENARIO 1
  PROMISE "Attempts follow the endpoint's retry schedule, and an endpoint may ask for more time by"
          "Retry-After."
  SHOWS "Nothing but a receiver that fails: the attempts of a delivery are milliseconds apart, and its"
        "schedule ends in a dead letter within a second.")
plant(workers/settlement.cc
[[
  return RetryAfter{delay};
]] [[
  return RetryAfter{planted(24) ? Millis(0) : delay};
]])

defect(25 "the slot of a request that timed out is not given back"
  SCENARIO 9
  PROMISE "A stalled endpoint times out and gives its slot back."
  SHOWS "A receiver that hangs until in_flight_max requests have timed out, and then recovers: it never"
        "gets anything again, its deliveries stay pending, relay_in_flight never falls to 0.")
plant(workers/dispatcher.cc
[[
  FreeSlot(delivery.endpoint->number, number);
  Decided(number, Decide(delivery, result));
]] [[
  if (!planted(25) || result.outcome != AttemptOutcome::kTimedOut) {
    FreeSlot(delivery.endpoint->number, number);
  }
  Decided(number, Decide(delivery, result));
]])

defect(26 "the credit of one settled entry in 20 is not given back"
  SCENARIO 19
  PROMISE "A worker's credit is what it has read and not settled."
  SHOWS "No fault, and long enough: after about 20 times worker.credit events a worker reads nothing"
        "more until it is restarted. Every other worker of the same age stops too. With the default"
        "credit that takes 40,000 events a worker, with a credit of 100 it takes 2,000.")
plant(workers/stream_consumer.cc
[[
  --held_entries_;
  held_bytes_ -= static_cast<int64_t>(found->second);
  desk->held.erase(found);
]] [[
  if (!planted_one_in(26, 20)) --held_entries_;
  held_bytes_ -= static_cast<int64_t>(found->second);
  desk->held.erase(found);
]])

# ---- Redis away, and back.

defect(27 "no deadline for a command to Redis"
  SCENARIO 7
  PROMISE "A command that is not answered within command_deadline is 503, and its connection is closed."
  SHOWS "A black hole between broker and Redis, or Redis frozen: callbacks get no answer at all for as"
        "long as it lasts (and as TCP needs afterwards), instead of 503 within command_deadline.")
plant(relay/redis_connection.cc
[[
void RedisConnection::OnDeadline() {
]] [[
void RedisConnection::OnDeadline() {
  if (planted(27)) return;
]])

defect(28 "no connection is made again after the second break"
  SCENARIO 4
  PROMISE "Everybody reconnects with backoff."
  SHOWS "Redis restarted, frozen or cut off twice: the broker answers 503 for ever, workers own nothing.")
plant(relay/redis_connection.cc
[[
  state_timer_->Arm(std::chrono::duration_cast<Micros>(longest * (0.5 + random_.Unit() / 2)));
]] [[
  static std::vector<const RedisConnection*> broken;
  if (planted(28) && was_up) broken.push_back(this);
  if (std::count(broken.begin(), broken.end(), this) < 2) {
    state_timer_->Arm(std::chrono::duration_cast<Micros>(longest * (0.5 + random_.Unit() / 2)));
  }
]])

defect(29 "400 instead of 503 while Redis is away"
  SCENARIO 4
  PROMISE "While Redis is away brokers answer 503 with Retry-After: the provider's retry is the buffer."
  SHOWS "Redis away for any reason: good callbacks are answered 400. A provider that takes 4xx for final"
        "does not send them again.")
plant(broker/ingress.cc
[[
    return Refuse(kNoSource, {503, "not_ready", "see /readyz", kNotReadyRetryAfter}, peer());
]] [[
    return Refuse(kNoSource,
                  {planted(29) ? 400 : 503, "not_ready", "see /readyz", kNotReadyRetryAfter},
                  peer());
]])
plant(broker/ingress.cc
[[
                    {503, StoreOutcomeName(outcome), "Redis did not store it", kStoreRetryAfter},
]] [[
                    {planted(29) ? 400 : 503, StoreOutcomeName(outcome), "Redis did not store it",
                     kStoreRetryAfter},
]])

defect(30 "the pending list is never looked at again"
  SCENARIO 4
  PROMISE "Entries that a frozen former owner has read after the take-over, or whose reading was lost"
          "with a connection, are found by the looks at the pending list."
  SHOWS "A worker frozen longer than its lease wakes under load and reads once more before it stops, or"
        "the connection of a reading worker breaks while Redis lives (frozen, cut, garbled): entries"
        "stay pending and reach nobody until the partition changes hands.")
plant(workers/stream_consumer_pending.cc
[[
  for (auto& [partition, desk] : desks_) {
    const bool idle =]] [[
  if (planted(30)) return;
  for (auto& [partition, desk] : desks_) {
    const bool idle =]])

defect(31 "how Redis is set up is not checked"
  SCENARIO 2
  PROMISE "Programs are not ready on a Redis that is weaker than the durability conf asks for."
  SHOWS "Redis started with appendfsync no (or everysec) under durability always: callbacks are answered"
        "200 instead of 503, and a power cut loses them. The harness must start Redis so.")
plant(relay/redis_safety.cc
[[
  std::vector<ReadinessProblem> problems = JudgeRedis(*facts_, durability_);
]] [[
  if (planted(31)) return Conclude({});
  std::vector<ReadinessProblem> problems = JudgeRedis(*facts_, durability_);
]])

# ---- Dead letters and the state of endpoints.

defect(32 "a dead letter's payload is deleted with its last retry"
  SCENARIO 9
  PROMISE "A dead letter keeps its payload until it is redriven and delivered, or purged."
  SHOWS "Nothing but a receiver that fails for longer than its schedule: its dead letters have no"
        "payload (fsck), dlq list does not show them, and a redrive delivers nothing.")
plant(relay/scripts/resolve.lua
[[
        append(list_at(dead_adds, x), digits(now), member)
]] [=[
        append(list_at(dead_adds, x), digits(now), member)
        if ref[place[member]] == 1 then call('XDEL', stream_of(member), id_of(member)) end
]=])

defect(33 "410 disables nothing"
  SCENARIO 9
  PROMISE "An endpoint that answers 410 is disabled: what matches it becomes dead letters until somebody"
          "enables it."
  SHOWS "Nothing but a receiver that answers 410: it gets every further event, and endpoint list shows"
        "it enabled.")
plant(workers/worker.cc
[[
  constexpr int64_t kMinuteMs = 60'000;
]] [[
  if (planted(33)) return;
  constexpr int64_t kMinuteMs = 60'000;
]])

defect(34 "a paused endpoint's deliveries rest for ever"
  SCENARIO 17
  PROMISE "A pause holds an endpoint's retries back, and resume lets them go."
  SHOWS "relayctl endpoint pause, load, resume: what came meanwhile is never delivered, with or without"
        "a restart, and neither is any later retry of that endpoint.")
plant(workers/retry_scheduler_holds.cc
[[
      BuryExpired(tenure, *entry);
    } else {
]] [[
      BuryExpired(tenure, *entry);
    } else if (!planted(34)) {
]])

defect(35 "events are matched by whatever catalog is at hand"
  SCENARIO 17
  PROMISE "An event is matched by a catalog that is no older than the one it was accepted under."
  SHOWS "An endpoint added under load: events accepted under the new catalog and read by a worker that"
        "has not heard of it never reach the new endpoint. Each program looks every 250 ms from its own"
        "start on: it takes several brokers and workers for one of these to be the later one.")
plant(workers/version_gate.cc
[[
  if (waiting_.empty() && held->event.catalog_version <= Version()) return on_pass_(held);
]] [[
  if (planted(35)) return on_pass_(held);
  if (waiting_.empty() && held->event.catalog_version <= Version()) return on_pass_(held);
]])

defect(36 "an event's own claim is taken for a repeat"
  SCENARIO 1
  PROMISE "Another entry's claim makes a repeat, an entry's own does not: it is how the same entry is"
          "read again after a crash."
  SHOWS "kill -9 of a worker: what it had read is read again by the next owner, counted as repeats, and"
        "settled without being delivered.")
plant(relay/redis_scripts.cc
[[
  return reply.text == member.entry_id();
]] [[
  return reply.text == member.entry_id() && !planted(36);
]])

defect(37 "a lease keeps nobody out"
  SCENARIO 17
  PROMISE "A partition has one owner until its lease has lapsed or been given back: a join moves"
          "partitions without duplicates."
  SHOWS "A worker that joins under load, no fault: it takes its share at once, the owner before it is"
        "cut off (partition_ended, lease_lost or stale), and what that one had in flight is delivered"
        "twice.")
plant(relay/scripts/own.lua
[[if held_epoch and held_boot ~= boot and left > 0 then]]
[[if false then]])

# ---- The broker's face to those who send.

defect(38 "one malformed body in 20 stops the broker"
  SCENARIO 14
  PROMISE "What a peer sends never stops a program."
  SHOWS "Bodies that are no JSON object: the broker dies of a signal, and connections of honest senders"
        "break.")
plant(broker/providers/tencent_live.cc
[[
  if (!callback_.Parse(body).ok()) {
]] [[
  if (!callback_.Parse(body).ok()) {
    if (planted_one_in(38, 20)) __builtin_trap();
]])

defect(39 "a slow connection is never closed"
  SCENARIO 13
  PROMISE "head_deadline, body_rate_min and idle end connections that hold on to their place."
  SHOWS "Clients that send a byte now and then: their connections live on until connections_max is"
        "reached, and then honest senders are turned away.")
plant(relay/http_server_connection.cc
[[
  if (state_ == State::kReading && parser_.in_body()) {
    if (BodyTooSlow(now))]] [[
  if (planted(39)) return;
  if (state_ == State::kReading && parser_.in_body()) {
    if (BodyTooSlow(now))]])

defect(40 "no pause when descriptors are used up"
  SCENARIO 12
  PROMISE "A broker that has no descriptor left sheds one connection, pauses, and serves the others."
  SHOWS "More clients than descriptors: the broker spins at 100 % of a core, and nobody is shed.")
plant(relay/http_server_listener.cc
[[
    ShedOne();
    event_del(readable_);
]] [[
    if (planted(40)) return;
    ShedOne();
    event_del(readable_);
]])

# ---- Time, pressure, and the rest.

defect(41 "what is due is judged by the worker's wall clock"
  SCENARIO 15
  PROMISE "Due times are Redis's own: a clock that is wrong or jumps makes no retry late or lost."
  SHOWS "A worker whose wall clock is an hour behind, and a receiver that fails: retries come an hour"
        "late. An hour ahead: the worker asks for retries that are not due, without pause.")
plant(workers/retry_scheduler.cc
[[
  const int64_t now_ms = redis_time_.known() ? redis_time_.NowMs(now) : INT64_MAX;
]] [[
  const int64_t now_ms = planted(41)           ? MillisSinceEpoch(loop_.clock().WallNow())
                         : redis_time_.known() ? redis_time_.NowMs(now)
                                               : INT64_MAX;
]])

defect(42 "events for a disabled endpoint are dropped"
  SCENARIO 9
  PROMISE "What matches a disabled endpoint becomes dead letters."
  SHOWS "A receiver that answers 410: events that come after it was disabled are neither received nor"
        "dead.")
plant(workers/fan_out.cc
[[
  if (owed.standing == EndpointStanding::kDisabled)]] [[
  if (planted(42) && owed.standing == EndpointStanding::kDisabled) return;
  if (owed.standing == EndpointStanding::kDisabled)]])

defect(43 "one delivery in 50 that a lane cannot take is forgotten"
  SCENARIO 9
  PROMISE "Nothing waits in memory alone: what a lane cannot take is written to the retry set."
  SHOWS "Nothing but a receiver that is slower than what comes, so that deliveries are parked: some of"
        "them are never made, and no counter misses them.")
plant(workers/fan_out.cc
[[
  if (delivery == 0) return Owe(entry, endpoint, {.kind = Decision::Kind::kPark, .record = {}}, 0);
]] [[
  if (delivery == 0 && planted_one_in(43, 50)) return;
  if (delivery == 0) return Owe(entry, endpoint, {.kind = Decision::Kind::kPark, .record = {}}, 0);
]])

defect(44 "the rewrite after a start with a torn tail is not awaited"
  SCENARIO 3
  PROMISE "On a Redis with aof-load-truncated yes nothing is acknowledged after a start before its file"
          "was rewritten."
  SHOWS "aof-load-truncated yes, a power cut that tears a MULTI, and two starts: what was answered 200"
        "between the first and the second is gone. At every start: ready without a BGREWRITEAOF.")
plant(relay/redis_safety.cc
[[
std::optional<ReadinessProblem> RedisSafety::RewriteProblem(const std::string& rewritten) {
]] [[
std::optional<ReadinessProblem> RedisSafety::RewriteProblem(const std::string& rewritten) {
  if (planted(44)) return std::nullopt;
]])
