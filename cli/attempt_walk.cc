#include "cli/attempt_walk.h"

#include <algorithm>

#include "relay/script_reply.h"

namespace relay {
namespace {

// Entries a page and logs at a time: together at most 4 MiB of replies.
constexpr int64_t kAttemptsPage = 64;
constexpr size_t kLogsAtOnce = 16;

// The last or the first id of a page, exclusive, for the next one.
std::string Beyond(const RedisValue& page) {
  return "(" + page.items.back().items[0].text;
}

bool Newer(const LoggedAttempt& a, const LoggedAttempt& b) {
  return a.record.at_ms > b.record.at_ms;
}

}  // namespace

Result<std::vector<LoggedAttempt>> AttemptWalk::OfEvent(const PartitionKeys& keys,
                                                        const std::vector<std::string>& tenants,
                                                        const std::string& event_id,
                                                        int64_t from_ms) {
  struct Log {
    const std::string* tenant = nullptr;
    std::string from;
  };
  std::vector<LoggedAttempt> found;
  std::vector<Log> open;
  size_t next = 0;
  while (next < tenants.size() || !open.empty()) {
    for (; open.size() < kLogsAtOnce && next < tenants.size(); ++next) {
      open.push_back({&tenants[next], std::to_string(from_ms)});
    }
    std::vector<RedisCommand> commands;
    for (const Log& log : open) {
      commands.push_back(RedisCommand("XRANGE")
                             .Arg(keys.AttemptLog(*log.tenant))
                             .Arg(log.from)
                             .Arg("+")
                             .Arg("COUNT")
                             .Arg(kAttemptsPage));
    }
    Result<std::vector<RedisValue>> pages = session_.AskAll(commands);
    if (!pages.ok()) return pages.status();
    std::vector<Log> left;
    for (size_t i = 0; i < open.size(); ++i) {
      const RedisValue& page = (*pages)[i];
      const Status status = Decode(page, false, [&](AttemptLogRecord& record) {
        if (record.event_id == event_id) found.push_back({*open[i].tenant, std::move(record)});
      });
      if (!status.ok()) return status;
      if (static_cast<int64_t>(page.items.size()) < kAttemptsPage) continue;
      left.push_back({open[i].tenant, Beyond(page)});
    }
    open = std::move(left);
  }
  return found;
}

Result<std::vector<LoggedAttempt>> AttemptWalk::Newest(const std::string& tenant,
                                                       const Filter& filter, size_t limit) {
  std::vector<LoggedAttempt> all;
  for (const PartitionKeys& keys : session_.partitions()) {
    std::vector<AttemptLogRecord> found;
    const Status status = NewestIn(keys.AttemptLog(tenant), filter, limit, found);
    if (!status.ok()) return status;
    for (AttemptLogRecord& record : found) all.push_back({tenant, std::move(record)});
  }
  std::stable_sort(all.begin(), all.end(), Newer);
  if (all.size() > limit) all.resize(limit);
  return all;
}

Status AttemptWalk::NewestIn(const std::string& key, const Filter& filter, size_t limit,
                             std::vector<AttemptLogRecord>& found) {
  for (std::string until = "+"; found.size() < limit;) {
    Result<RedisValue> page = session_.Ask(RedisCommand("XREVRANGE")
                                               .Arg(key)
                                               .Arg(until)
                                               .Arg(filter.since_ms)
                                               .Arg("COUNT")
                                               .Arg(kAttemptsPage));
    if (!page.ok()) return page.status();
    const Status status = Decode(*page, true, [&](AttemptLogRecord& record) {
      if (filter.endpoint && record.endpoint != *filter.endpoint) return;
      if (filter.failed && record.fate == AttemptFate::kDelivered) return;
      if (record.at_ms >= filter.since_ms) found.push_back(std::move(record));
    });
    if (!status.ok()) return status;
    if (static_cast<int64_t>(page->items.size()) < kAttemptsPage) break;
    until = Beyond(*page);
  }
  return Status::Ok();
}

Status AttemptWalk::Decode(const RedisValue& page, bool newest_first,
                           const std::function<void(AttemptLogRecord&)>& on_record) {
  for (const RedisValue& entry : page.items) {
    if (Status status = ExpectArray(entry, 2, "stream entry"); !status.ok()) return status;
    const std::vector<RedisValue>& fields = entry.items[1].items;
    Result<std::vector<AttemptLogRecord>> records =
        fields.size() == 2 && fields[0].text == kAttemptsField
            ? DecodeAttempts(fields[1].text)
            : Result<std::vector<AttemptLogRecord>>(Status::InvalidArgument("no attempts"));
    if (!records.ok()) {
      ++damaged_;
      continue;
    }
    if (newest_first) std::reverse(records->begin(), records->end());
    for (AttemptLogRecord& record : *records) on_record(record);
    records_ += static_cast<int64_t>(records->size());
    progress_.Update(records_);
  }
  return Status::Ok();
}

}  // namespace relay
