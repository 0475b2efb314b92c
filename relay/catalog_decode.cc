#include <rapidjson/document.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <type_traits>

#include "relay/catalog_json.h"
#include "relay/catalog_members.h"
#include "relay/catalog_snapshot.h"
#include "relay/catalog_words.h"

namespace relay {

namespace {

using Value = rapidjson::Value;

// Null when there is none. Requires: `object` is an object.
const Value* Member(const Value& object, const char* name) {
  const auto found = object.FindMember(name);
  return found == object.MemberEnd() ? nullptr : &found->value;
}

// Reads what is there; the rest keeps its default. The first thing that is wrong stays in status().
class MemberReader {
 public:
  MemberReader(const Value& object, const SecretBox* box, std::string place)
      : object_(object), box_(box), place_(std::move(place)) {}

  const Status& status() const { return status_; }

  template <typename T>
  void operator()(const char* name, T& value, const T& absent) {
    const Value* found = Member(object_, name);
    if (!found) {
      value = absent;
    } else if (!Get(*found, value)) {
      Fail(name);
    }
  }
  void Secret(const char* name, std::string& secret) {
    const Value* found = Member(object_, name);
    if (found) Open(name, *found, secret);
  }
  void Secret(const char* name, std::vector<std::string>& secrets) {
    const Value* found = Member(object_, name);
    if (!found) return;
    if (!found->IsArray()) return Fail(name);
    for (const Value& item : found->GetArray()) {
      Open(name, item, secrets.emplace_back());
    }
  }
  void Secret(const char* name, CatalogHeaders& headers) {
    const Value* found = Member(object_, name);
    if (!found) return;
    if (!found->IsObject()) return Fail(name);
    for (const auto& header : found->GetObject()) {
      auto& [key, value] = headers.emplace_back();
      Get(header.name, key);
      Open(name, header.value, value);
    }
  }

 private:
  void Fail(const char* name) {
    if (!status_.ok()) return;
    status_ = Status::InvalidArgument("unexpected value of " + place_ + "/" + name);
  }
  void Open(const char* name, const Value& sealed, std::string& secret) {
    if (!sealed.IsString()) return Fail(name);
    if (!box_) return;
    Result<std::string> opened = box_->Open(
        std::string_view(sealed.GetString(), sealed.GetStringLength()), place_ + "/" + name);
    if (opened.ok()) {
      secret = std::move(opened).value();
    } else if (status_.ok()) {
      status_ = opened.status();
    }
  }

  static bool Get(const Value& from, std::string& to) {
    if (!from.IsString()) return false;
    to.assign(from.GetString(), from.GetStringLength());
    return true;
  }
  static bool Get(const Value& from, bool& to) {
    if (from.IsBool()) to = from.GetBool();
    return from.IsBool();
  }
  static bool Get(const Value& from, double& to) {
    if (from.IsNumber()) to = from.GetDouble();
    return from.IsNumber();
  }
  static bool Get(const Value& from, uint64_t& to) {
    if (from.IsUint64()) to = from.GetUint64();
    return from.IsUint64();
  }
  static bool Get(const Value& from, int64_t& to) {
    if (from.IsInt64()) to = from.GetInt64();
    return from.IsInt64();
  }
  static bool Get(const Value& from, int& to) {
    if (from.IsInt()) to = from.GetInt();
    return from.IsInt();
  }
  static bool Get(const Value& from, Millis& to) {
    if (from.IsInt64()) to = Millis(from.GetInt64());
    return from.IsInt64();
  }
  template <typename T>
  requires std::is_enum_v<T>
  static bool Get(const Value& from, T& to) {
    if (!from.IsString()) return false;
    const std::string_view text(from.GetString(), from.GetStringLength());
    for (const auto& [word, meaning] : WordsFor(T())) {
      if (word != text) continue;
      to = meaning;
      return true;
    }
    return false;
  }
  template <typename T>
  static bool Get(const Value& from, std::vector<T>& to) {
    if (!from.IsArray()) return false;
    to.clear();
    to.reserve(from.Size());
    for (const Value& item : from.GetArray()) {
      if (!Get(item, to.emplace_back())) return false;
    }
    return true;
  }

  const Value& object_;
  const SecretBox* box_;  // Null: secrets stay closed.
  const std::string place_;
  Status status_;
};

std::string TextOf(const Value& object, const char* name) {
  const Value* found = Member(object, name);
  if (!found || !found->IsString()) return "";
  return std::string(found->GetString(), found->GetStringLength());
}

template <typename T>
Status ReadPart(const Value& object, const SecretBox* box, std::string place, const T& absent,
                T& out) {
  if (!object.IsObject()) return Status::InvalidArgument(place + " is no object");
  MemberReader reader(object, box, std::move(place));
  ForEachMember(reader, out, absent);
  return reader.status();
}

Status ReadSources(const Value& manifest, const SecretBox* box, std::vector<Source>& out) {
  static const Source kAbsent;
  const Value* sources = Member(manifest, "sources");
  if (!sources || !sources->IsArray()) {
    return Status::InvalidArgument("the catalog in Redis lacks its sources");
  }
  for (const Value& source : sources->GetArray()) {
    Status read =
        ReadPart(source, box, SourcePlace(source.IsObject() ? TextOf(source, "id") : std::string()),
                 kAbsent, out.emplace_back());
    if (!read.ok()) return read;
  }
  return Status::Ok();
}

Status ReadParts(const Value& manifest, std::map<int, std::string>& out) {
  const Status broken = Status::InvalidArgument("the catalog in Redis does not name its parts");
  const Value* parts = Member(manifest, "parts");
  if (!parts || !parts->IsObject()) return broken;
  for (const auto& part : parts->GetObject()) {
    const std::string_view name(part.name.GetString(), part.name.GetStringLength());
    int number = -1;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc() || end != name.data() + name.size() || number < 0 ||
        number >= kCatalogParts || !part.value.IsString()) {
      return broken;
    }
    out[number].assign(part.value.GetString(), part.value.GetStringLength());
  }
  return Status::Ok();
}

Status ReadTenant(const Value& line, const SecretBox* box, Tenant& tenant) {
  static const Tenant kAbsent;
  static const Endpoint kAbsentEndpoint = AbsentEndpoint();
  const std::string id = TextOf(line, "id");
  if (Status read = ReadPart(line, box, "tenant/" + id, kAbsent, tenant); !read.ok()) return read;
  const Value* endpoints = Member(line, "endpoints");
  if (!endpoints) return Status::Ok();
  if (!endpoints->IsArray()) {
    return Status::InvalidArgument("unexpected value of tenant/" + id + "/endpoints");
  }
  tenant.endpoints.reserve(endpoints->Size());
  for (const Value& endpoint : endpoints->GetArray()) {
    const std::string endpoint_id = endpoint.IsObject() ? TextOf(endpoint, "id") : std::string();
    Status read = ReadPart(endpoint, box, EndpointPlace(id, endpoint_id), kAbsentEndpoint,
                           tenant.endpoints.emplace_back());
    if (!read.ok()) return read;
  }
  return Status::Ok();
}

}  // namespace

Result<CatalogManifest> DecodeManifest(std::string text, const SecretBox* box) {
  rapidjson::Document manifest;
  manifest.ParseInsitu(text.data());
  if (manifest.HasParseError() || !manifest.IsObject()) {
    return Status::InvalidArgument("the catalog in Redis is broken");
  }
  const Value* format = Member(manifest, "format");
  if (!format || !format->IsInt() || format->GetInt() != kCatalogFormat) {
    return Status::InvalidArgument("the catalog in Redis was written by another version of relay");
  }
  CatalogManifest out;
  Status read = ReadSources(manifest, box, out.sources);
  if (read.ok()) read = ReadParts(manifest, out.parts);
  if (!read.ok()) return read;
  return out;
}

Result<std::vector<Tenant>> DecodeTenants(std::string text, const SecretBox* box) {
  std::vector<Tenant> out;
  rapidjson::MemoryPoolAllocator<> memory;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size() - 1);
    // Parsed in place: the strings of the line become its values without being copied.
    text[end] = '\0';
    rapidjson::Document line(&memory);
    line.ParseInsitu(text.data() + begin);
    if (line.HasParseError() || !line.IsObject()) {
      return Status::InvalidArgument("the catalog in Redis is broken in line " +
                                     std::to_string(out.size() + 1) + " of a part");
    }
    Status read = ReadTenant(line, box, out.emplace_back());
    if (!read.ok()) return read;
    memory.Clear();
    begin = end + 1;
  }
  return out;
}

Result<EndpointRuntimeState> DecodeEndpointState(std::string text) {
  rapidjson::Document state;
  state.ParseInsitu(text.data());
  const Status broken = Status::Internal("an endpoint's state in Redis is broken");
  if (state.HasParseError() || !state.IsObject()) return broken;
  const Value* disabled = Member(state, "disabled");
  const Value* paused = Member(state, "paused");
  const Value* since = Member(state, "since_ms");
  if (!disabled || !disabled->IsBool() || !paused || !paused->IsBool() || !since ||
      !since->IsNumber()) {
    return broken;
  }
  EndpointRuntimeState out;
  out.disabled = disabled->GetBool();
  out.paused = paused->GetBool();
  out.since_ms = static_cast<int64_t>(since->GetDouble());
  out.reason = TextOf(state, "reason");
  return out;
}

}  // namespace relay
