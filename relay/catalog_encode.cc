#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <string_view>
#include <type_traits>

#include "relay/catalog_json.h"
#include "relay/catalog_members.h"
#include "relay/catalog_words.h"
#include "relay/sha256.h"

namespace relay {

namespace {

constexpr size_t kDigestDigits = 32;

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

rapidjson::SizeType Size(std::string_view text) {
  return static_cast<rapidjson::SizeType>(text.size());
}

// Writes what differs from its default.
class MemberWriter {
 public:
  MemberWriter(Writer& out, const SecretBox& box, std::string place)
      : out_(out), box_(box), place_(std::move(place)) {}

  template <typename T>
  void operator()(const char* name, const T& value, const T& absent) {
    if (value == absent) return;
    out_.Key(name);
    Put(value);
  }
  void Secret(const char* name, const std::string& secret) {
    if (secret.empty()) return;
    out_.Key(name);
    Put(box_.Seal(secret, PlaceOf(name)));
  }
  void Secret(const char* name, const std::vector<std::string>& secrets) {
    if (secrets.empty()) return;
    out_.Key(name);
    out_.StartArray();
    for (const std::string& secret : secrets) Put(box_.Seal(secret, PlaceOf(name)));
    out_.EndArray();
  }
  void Secret(const char* name, const CatalogHeaders& headers) {
    if (headers.empty()) return;
    out_.Key(name);
    out_.StartObject();
    for (const auto& [header, value] : headers) {
      out_.Key(header.data(), Size(header));
      Put(box_.Seal(value, PlaceOf(name)));
    }
    out_.EndObject();
  }

 private:
  std::string PlaceOf(const char* name) const { return place_ + "/" + name; }

  void Put(const std::string& text) { out_.String(text.data(), Size(text)); }
  void Put(bool value) { out_.Bool(value); }
  void Put(double value) { out_.Double(value); }
  void Put(uint64_t value) { out_.Uint64(value); }
  void Put(int64_t value) { out_.Int64(value); }
  void Put(int value) { out_.Int(value); }
  void Put(Millis value) { out_.Int64(value.count()); }
  template <typename T>
  requires std::is_enum_v<T>
  void Put(T value) {
    const std::string_view word = WordOf(value);
    out_.String(word.data(), Size(word));
  }
  template <typename T>
  void Put(const std::vector<T>& list) {
    out_.StartArray();
    for (const T& item : list) Put(item);
    out_.EndArray();
  }

  Writer& out_;
  const SecretBox& box_;
  const std::string place_;
};

}  // namespace

std::string EncodeManifest(const CatalogManifest& manifest, const SecretBox& box) {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  writer.Key("format");
  writer.Int(kCatalogFormat);
  writer.Key("sources");
  writer.StartArray();
  for (const Source& source : manifest.sources) {
    writer.StartObject();
    MemberWriter each(writer, box, SourcePlace(source.id));
    ForEachMember(each, source, Source());
    writer.EndObject();
  }
  writer.EndArray();
  writer.Key("parts");
  writer.StartObject();
  for (const auto& [part, digest] : manifest.parts) {
    const std::string name = std::to_string(part);
    writer.Key(name.data(), Size(name));
    writer.String(digest.data(), Size(digest));
  }
  writer.EndObject();
  writer.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize());
}

std::string EncodeTenants(std::span<const Tenant* const> tenants, const SecretBox& box) {
  static const Tenant kAbsent;
  static const Endpoint kAbsentEndpoint = AbsentEndpoint();
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  for (const Tenant* tenant : tenants) {
    writer.StartObject();
    MemberWriter each(writer, box, "tenant/" + tenant->id);
    ForEachMember(each, *tenant, kAbsent);
    writer.Key("endpoints");
    writer.StartArray();
    for (const Endpoint& endpoint : tenant->endpoints) {
      writer.StartObject();
      MemberWriter each_endpoint(writer, box, EndpointPlace(tenant->id, endpoint.id));
      ForEachMember(each_endpoint, endpoint, kAbsentEndpoint);
      writer.EndObject();
    }
    writer.EndArray();
    writer.EndObject();
    buffer.Put('\n');
    writer.Reset(buffer);
  }
  return std::string(buffer.GetString(), buffer.GetSize());
}

std::string DigestOfPart(std::string_view text) {
  return Sha256Hex(text).substr(0, kDigestDigits);
}

}  // namespace relay
