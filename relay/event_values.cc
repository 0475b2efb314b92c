#include "relay/event_values.h"

#include <algorithm>

#include "relay/json_span.h"

namespace relay {

namespace {
// What one event of very many values has taken is given back with the next one.
constexpr size_t kValuesKeptMax = 16384;
}  // namespace

void EventValues::Load(const EventPaths& paths, const JsonObject* body,
                       const EventAttributes& attributes) {
  if (values_.capacity() > kValuesKeptMax) *this = EventValues();
  paths_ = &paths;
  values_.clear();
  members_.clear();
  elements_.clear();
  open_.clear();
  decoded_.clear();
  values_.resize(EventPaths::kTenant + 1);
  values_[EventPaths::kBody].kind = JsonKind::kObject;
  SetText(EventPaths::kType, attributes.type);
  SetText(EventPaths::kSource, attributes.source);
  SetText(EventPaths::kTenant, attributes.tenant);
  if (body == nullptr || !paths.HasMembers(EventPaths::kBody)) return;
  body_bytes_ = body->bytes().size();
  for (const JsonMember& member : body->members()) {
    AddMember(EventPaths::kBody, member.key, member.kind, member.raw);
  }
  CloseObject(EventPaths::kBody, 0);
}

void EventValues::SetText(uint32_t value, std::string_view text) {
  values_[value].kind = JsonKind::kString;
  values_[value].path = value;
  values_[value].raw = text;
  values_[value].text = text;
}

uint32_t EventValues::Find(uint32_t object, uint32_t path) const {
  if (path <= EventPaths::kTenant) return path;
  if (object == kAbsent || values_[object].kind != JsonKind::kObject) return kAbsent;
  const std::span<const Member> members = Members(object);
  const auto found =
      std::lower_bound(members.begin(), members.end(), path,
                       [](const Member& member, uint32_t wanted) { return member.path < wanted; });
  return found != members.end() && found->path == path ? found->value : kAbsent;
}

std::span<const EventValues::Member> EventValues::Members(uint32_t object) const {
  return std::span(members_).subspan(values_[object].first, values_[object].count);
}

std::span<const uint32_t> EventValues::Elements(uint32_t array) const {
  return std::span(elements_).subspan(values_[array].first, values_[array].count);
}

void EventValues::AddMember(uint32_t path, std::string_view key, JsonKind kind,
                            std::string_view raw) {
  const uint32_t child = paths_->Find(path, key);
  if (child == EventPaths::kNone) return;
  const uint32_t value = Add(child, kind, raw);
  open_.push_back({child, value});
}

uint32_t EventValues::Add(uint32_t path, JsonKind kind, std::string_view raw) {
  const auto index = static_cast<uint32_t>(values_.size());
  Value& value = values_.emplace_back();
  value.kind = kind;
  value.path = path;
  value.raw = raw;
  switch (kind) {
    case JsonKind::kString:
      value.text = Decoded(raw);
      break;
    case JsonKind::kNumber:
      value.number = Decimal::Read(raw);
      break;
    case JsonKind::kObject:
      if (paths_->HasMembers(path)) ScanObject(index, path, raw);
      break;
    case JsonKind::kArray: {
      const size_t mark = open_.size();
      ScanArray(path, raw);
      values_[index].first = static_cast<uint32_t>(elements_.size());
      values_[index].count = static_cast<uint32_t>(open_.size() - mark);
      for (size_t i = mark; i < open_.size(); ++i) elements_.push_back(open_[i].value);
      open_.resize(mark);
      break;
    }
    case JsonKind::kTrue:
    case JsonKind::kFalse:
    case JsonKind::kNull:
      break;
  }
  return index;
}

void EventValues::ScanObject(uint32_t value, uint32_t path, std::string_view raw) {
  const size_t mark = open_.size();
  JsonSpanReader reader(raw);
  std::string_view key;
  std::string_view member;
  while (reader.NextMember(&key, &member)) {
    AddMember(path, JsonText(key, buffer_), JsonKindOf(member.front()), member);
  }
  CloseObject(value, mark);
}

void EventValues::CloseObject(uint32_t value, size_t mark) {
  const auto begin = open_.begin() + static_cast<ptrdiff_t>(mark);
  std::sort(begin, open_.end(), [](const Member& a, const Member& b) { return a.path < b.path; });
  values_[value].first = static_cast<uint32_t>(members_.size());
  values_[value].count = static_cast<uint32_t>(open_.size() - mark);
  members_.insert(members_.end(), begin, open_.end());
  open_.resize(mark);
}

// Leaves the elements open.
void EventValues::ScanArray(uint32_t path, std::string_view raw) {
  JsonSpanReader reader(raw);
  std::string_view element;
  while (reader.NextElement(&element)) {
    const JsonKind kind = JsonKindOf(element.front());
    if (kind == JsonKind::kArray) {
      ScanArray(path, element);
    } else if (kind != JsonKind::kObject || paths_->HasMembers(path)) {
      const uint32_t value = Add(path, kind, element);
      open_.push_back({path, value});
    }
  }
}

std::string_view EventValues::Decoded(std::string_view raw) {
  const std::string_view text = JsonText(raw, buffer_);
  if (text.data() != buffer_.data()) return text;
  // Decoded, strings are shorter than they were written, so all of them fit into this.
  if (decoded_.capacity() < body_bytes_) decoded_.reserve(body_bytes_);
  const size_t begin = decoded_.size();
  decoded_.append(text);
  return std::string_view(decoded_).substr(begin);
}

}  // namespace relay
