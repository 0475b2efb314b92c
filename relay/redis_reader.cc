#include "relay/redis_reader.h"

#include <hiredis/read.h>

#include <algorithm>
#include <string>

#include "relay/check.h"

namespace relay {
namespace {

// The reader calls one function for each value, parents first and children in their order, and
// hands back the pointer that the parent's function returned. The root is the RedisValue behind
// privdata.

// An array grows as its items come: a count that a broken peer made up must not allocate.
constexpr int kItemsReservedMax = 1024;
// What a large reply has grown is not kept for the small ones that follow.
constexpr size_t kTextBytesKept = 4096;

RedisValue* Place(const redisReadTask* task) {
  if (!task->parent) {
    auto* root = static_cast<RedisValue*>(task->privdata);
    std::string text = std::move(root->text);
    if (text.capacity() > kTextBytesKept) text = std::string();
    text.clear();
    *root = RedisValue();
    root->text = std::move(text);
    return root;
  }
  // Only the last item can still be growing, so no pointer into the vector is kept when it moves.
  return &static_cast<RedisValue*>(task->parent->obj)->items.emplace_back();
}

void* CreateString(const redisReadTask* task, char* bytes, size_t size) noexcept {
  RedisValue* value = Place(task);
  value->type = task->type == REDIS_REPLY_ERROR    ? RedisValue::Type::kError
                : task->type == REDIS_REPLY_STATUS ? RedisValue::Type::kStatus
                                                   : RedisValue::Type::kText;
  value->text.assign(bytes, size);
  return value;
}

void* CreateArray(const redisReadTask* task, int count) noexcept {
  RedisValue* value = Place(task);
  value->type = RedisValue::Type::kArray;
  value->items.reserve(std::min(count, kItemsReservedMax));
  return value;
}

void* CreateInteger(const redisReadTask* task, long long number) noexcept {
  RedisValue* value = Place(task);
  value->type = RedisValue::Type::kInteger;
  value->integer = number;
  return value;
}

void* CreateNil(const redisReadTask* task) noexcept {
  return Place(task);
}

// Every value belongs to the root, and the root to the RedisReader.
void FreeNothing(void*) noexcept {}

// Not const, because the reader's constructor takes it so; nobody writes to it.
redisReplyObjectFunctions value_builder = {CreateString, CreateArray, CreateInteger, CreateNil,
                                           FreeNothing};

}  // namespace

RedisReader::RedisReader() : reader_(redisReaderCreateWithFunctions(&value_builder)) {
  RELAY_CHECK(reader_);
  reader_->privdata = &reply_;
}

Status RedisReader::Feed(std::string_view bytes) {
  if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) == REDIS_OK) return Status::Ok();
  return Status::InvalidArgument(reader_->errstr);
}

Result<RedisValue*> RedisReader::Next() {
  void* reply = nullptr;
  if (redisReaderGetReply(reader_.get(), &reply) != REDIS_OK) {
    return Status::InvalidArgument(reader_->errstr);
  }
  return static_cast<RedisValue*>(reply);
}

}  // namespace relay
