#pragma once

#include <span>
#include <string_view>
#include <utility>

#include "relay/catalog.h"
#include "relay/check.h"

namespace relay {

// How the catalog's choices are spelled: in its file, in Redis and in a diff alike.

template <typename T>
using CatalogWord = std::pair<std::string_view, T>;

inline constexpr CatalogWord<RouteBy> kRouteByWords[] = {{"tenant", RouteBy::kFixedTenant},
                                                         {"push_domain", RouteBy::kPushDomain},
                                                         {"appid", RouteBy::kAppId},
                                                         {"stream_prefix", RouteBy::kStreamPrefix},
                                                         {"stream_param", RouteBy::kStreamParam}};
inline constexpr CatalogWord<HmacAlgorithm> kAlgorithmWords[] = {
    {"sha1", HmacAlgorithm::kSha1},
    {"sha256", HmacAlgorithm::kSha256},
    {"sha512", HmacAlgorithm::kSha512}};
inline constexpr CatalogWord<SignatureEncoding> kEncodingWords[] = {
    {"hex", SignatureEncoding::kHex}, {"base64", SignatureEncoding::kBase64}};
inline constexpr CatalogWord<DeliveryFormat> kFormatWords[] = {
    {"raw", DeliveryFormat::kRaw},
    {"tencent", DeliveryFormat::kTencent},
    {"cloudevents", DeliveryFormat::kCloudEvents},
    {"normalized", DeliveryFormat::kNormalized}};
inline constexpr CatalogWord<ContentMode> kContentModeWords[] = {
    {"binary", ContentMode::kBinary}, {"structured", ContentMode::kStructured}};
inline constexpr CatalogWord<AckRule> kAckWords[] = {{"status", AckRule::kStatus},
                                                     {"code0", AckRule::kCode0}};
inline constexpr CatalogWord<SigningScheme> kSchemeWords[] = {
    {"none", SigningScheme::kNone},
    {"standard-webhooks", SigningScheme::kStandardWebhooks},
    {"tencent", SigningScheme::kTencent}};
inline constexpr CatalogWord<EndpointState> kStateWords[] = {
    {"active", EndpointState::kActive},
    {"paused", EndpointState::kPaused},
    {"disabled", EndpointState::kDisabled}};

inline constexpr std::span<const CatalogWord<RouteBy>> WordsFor(RouteBy) {
  return kRouteByWords;
}
inline constexpr std::span<const CatalogWord<HmacAlgorithm>> WordsFor(HmacAlgorithm) {
  return kAlgorithmWords;
}
inline constexpr std::span<const CatalogWord<SignatureEncoding>> WordsFor(SignatureEncoding) {
  return kEncodingWords;
}
inline constexpr std::span<const CatalogWord<DeliveryFormat>> WordsFor(DeliveryFormat) {
  return kFormatWords;
}
inline constexpr std::span<const CatalogWord<ContentMode>> WordsFor(ContentMode) {
  return kContentModeWords;
}
inline constexpr std::span<const CatalogWord<AckRule>> WordsFor(AckRule) {
  return kAckWords;
}
inline constexpr std::span<const CatalogWord<SigningScheme>> WordsFor(SigningScheme) {
  return kSchemeWords;
}
inline constexpr std::span<const CatalogWord<EndpointState>> WordsFor(EndpointState) {
  return kStateWords;
}

template <typename T>
std::string_view WordOf(T value) {
  for (const auto& [word, meaning] : WordsFor(value)) {
    if (meaning == value) return word;
  }
  RELAY_CHECK(false);
  return "";
}

}  // namespace relay
