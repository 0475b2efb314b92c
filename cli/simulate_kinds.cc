#include "cli/simulate_kinds.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "cli/hmac_callback.h"
#include "cli/option_types.h"
#include "cli/tencent_callback.h"
#include "cli/trtc_callback.h"
#include "cli/volcengine_callback.h"
#include "cli/webhook_callback.h"
#include "relay/secret_text.h"

namespace relay {
namespace {

using MadeMaker = Result<std::unique_ptr<CallbackMaker>>;

constexpr int64_t kBodyBytesMax = 16 * 1024 * 1024;

void AddKeyOption(CLI::App* command, std::string* key, const std::string& what) {
  command
      ->add_option("--key", *key,
                   what + ", or file:/path, so that the list of processes does not show it")
      ->required();
}

Status ReadKey(std::string* key) {
  Result<std::string> read = ReadSecretText(*key);
  if (!read.ok()) return Status::InvalidArgument("--key: " + read.status().text());
  *key = std::move(*read);
  return Status::Ok();
}

void AddDomainOptions(CLI::App* command, int64_t* domains, std::string* pattern) {
  command->add_option("--domains", *domains, "Distinct push domains")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--domain", *pattern, "A push domain; {} is its number, from 0")
      ->capture_default_str();
}

// What all kinds but the first have. `stream` is what the kind calls one.
void AddSenderOptions(CLI::App* command, SenderTraffic* traffic, const std::string& stream,
                      const std::string& types) {
  command->add_option("--streams", traffic->streams, "Distinct " + stream + "s")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--stream-prefix", traffic->stream_prefix,
                      "What names of " + stream + "s begin with");
  command
      ->add_option("--types", traffic->types,
                   "The types that a " + stream + " goes through (" + types + ")")
      ->delimiter(',');
  command->add_option("--body-bytes", traffic->body_bytes, "Pad bodies to at least this")
      ->check(CLI::Range(int64_t{0}, kBodyBytesMax));
}

// Types and prefixes go into JSON and headers as they are.
Status CheckPlain(const std::vector<std::string>& texts, const char* option) {
  for (const std::string& text : texts) {
    const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
      return c > ' ' && c < 0x7F && c != '"' && c != '\\';
    });
    if (plain) continue;
    return Status::InvalidArgument(std::string(option) +
                                   ": printable ASCII without blanks, quotes and backslashes");
  }
  return Status::Ok();
}

// What goes into JSON alone may be any text that stands there as it is.
Status CheckUnescaped(const std::string& text, const char* option) {
  const bool fits = std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < ' ' || c == '"' || c == '\\';
  });
  return fits ? Status::Ok()
              : Status::InvalidArgument(std::string(option) + ": no quotes and backslashes");
}

// The last steps that the kinds have in common: the key is read, the run is named.
Status Complete(SenderTraffic* traffic, const std::string& run,
                const std::vector<std::string>& types) {
  traffic->run = run;
  if (traffic->types.empty()) traffic->types = types;
  if (Status status = CheckPlain(traffic->types, "--types"); !status.ok()) return status;
  Status status = CheckUnescaped(traffic->stream_prefix, "--stream-prefix");
  return status.ok() ? ReadKey(&traffic->key) : status;
}

// ---- tencent-live

struct TencentOptions {
  TencentTraffic traffic;
  std::vector<int> types;
};

MadeMaker MakeTencentLive(TencentOptions options, const std::string& run) {
  TencentTraffic& traffic = options.traffic;
  if (!options.types.empty()) traffic.types = options.types;
  const std::set<int> distinct(traffic.types.begin(), traffic.types.end());
  if (distinct.size() != traffic.types.size()) {
    return Status::InvalidArgument("--types names a type twice");
  }
  if (traffic.reconnect > 0 && (traffic.types.front() != 1 || traffic.types.back() != 0)) {
    return Status::InvalidArgument("--reconnect needs --types that begin with 1 and end with 0");
  }
  Status status = CheckUnescaped(traffic.stream_prefix, "--stream-prefix");
  if (status.ok()) status = CheckUnescaped(traffic.stream_param, "--stream-param");
  if (status.ok()) status = CheckUnescaped(traffic.domain_pattern, "--domain");
  if (status.ok()) status = ReadKey(&traffic.key);
  if (!status.ok()) return status;
  traffic.run = run;
  return std::unique_ptr<CallbackMaker>(std::make_unique<TencentCallbackMaker>(traffic));
}

MakeMaker AddTencentLive(CLI::App* command) {
  auto options = std::make_shared<TencentOptions>();  // Shared with the closures that CLI11 keeps.
  TencentTraffic& traffic = options->traffic;
  AddKeyOption(command, &traffic.key, "The source's callback key");
  command->add_option("--streams", traffic.streams, "Distinct streams")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  AddDomainOptions(command, &traffic.domains, &traffic.domain_pattern);
  command->add_option("--stream-prefix", traffic.stream_prefix, "What stream ids begin with");
  command->add_option("--stream-param", traffic.stream_param,
                      "More of the push URL's query string, e.g. tenant=acme");
  command
      ->add_option("--types", options->types,
                   "The event types that a stream goes through (1,200,100,0): any of the 18 that "
                   "the provider documents, or others")
      ->delimiter(',');
  command
      ->add_option("--unsigned-types", traffic.unsigned_types,
                   "Types that come without `t` and `sign`, as 314 does in the provider's samples")
      ->delimiter(',');
  AddChanceOption(command, "--reconnect", &traffic.reconnect,
                  "Let a stream be pushed anew, with a new sequence, before the stop of the push "
                  "before it is sent");
  command->add_option("--body-bytes", traffic.body_bytes, "Pad bodies to at least this")
      ->check(CLI::Range(int64_t{0}, kBodyBytesMax));
  return [options](const std::string& run) { return MakeTencentLive(*options, run); };
}

// ---- tencent-trtc

struct TrtcOptions {
  SenderTraffic traffic;
  std::string sdkappid = "1400000001";
};

MadeMaker MakeTrtc(TrtcOptions options, const std::string& run) {
  const Status status = Complete(&options.traffic, run, {"103", "203", "204", "104"});
  if (!status.ok()) return status;
  for (const std::string& type : options.traffic.types) {
    if (type.empty() || type.find_first_not_of("0123456789") != std::string::npos) {
      return Status::InvalidArgument("--types: numbers of EventType");
    }
  }
  return std::unique_ptr<CallbackMaker>(
      std::make_unique<TrtcCallbackMaker>(options.traffic, options.sdkappid));
}

MakeMaker AddTrtc(CLI::App* command) {
  auto options = std::make_shared<TrtcOptions>();  // Shared with the closures that CLI11 keeps.
  AddKeyOption(command, &options->traffic.key, "The source's callback key");
  command->add_option("--sdkappid", options->sdkappid, "The application, in the header SdkAppId")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  AddSenderOptions(command, &options->traffic, "room", "103,203,204,104");
  return [options](const std::string& run) { return MakeTrtc(*options, run); };
}

// ---- volcengine-live

struct VolcengineOptions {
  SenderTraffic traffic;
  int64_t domains = 1;
  std::string domain_pattern = "push-{}.livepush.example";
};

MadeMaker MakeVolcengine(VolcengineOptions options, const std::string& run) {
  Status status = Complete(&options.traffic, run, {"push_start", "push_end"});
  if (status.ok()) status = CheckUnescaped(options.domain_pattern, "--domain");
  if (!status.ok()) return status;
  return std::unique_ptr<CallbackMaker>(std::make_unique<VolcengineCallbackMaker>(
      options.traffic, options.domains, options.domain_pattern));
}

MakeMaker AddVolcengine(CLI::App* command) {
  auto options = std::make_shared<VolcengineOptions>();  // As above.
  AddKeyOption(command, &options->traffic.key, "AuthKeyPrimary");
  AddDomainOptions(command, &options->domains, &options->domain_pattern);
  AddSenderOptions(command, &options->traffic, "stream", "push_start,push_end");
  return [options](const std::string& run) { return MakeVolcengine(*options, run); };
}

// ---- standard-webhooks

MadeMaker MakeWebhooks(SenderTraffic traffic, const std::string& run) {
  const Status status = Complete(&traffic, run, {"stream.started", "stream.ended"});
  if (!status.ok()) return status;
  MadeMaker maker = WebhookCallbackMaker::Create(std::move(traffic));
  if (!maker.ok()) return Status::InvalidArgument("--key: " + maker.status().text());
  return maker;
}

MakeMaker AddWebhooks(CLI::App* command) {
  auto traffic = std::make_shared<SenderTraffic>();  // As above.
  AddKeyOption(command, &traffic->key, "The source's secret, whsec_...");
  AddSenderOptions(command, traffic.get(), "stream", "stream.started,stream.ended");
  return [traffic](const std::string& run) { return MakeWebhooks(*traffic, run); };
}

// ---- hmac

struct HmacOptions {
  HmacTraffic traffic;
  std::string algorithm = "sha256";
  std::string encoding = "hex";
};

MadeMaker MakeHmac(const HmacOptions& options, const std::string& run) {
  HmacTraffic traffic = options.traffic;
  if (options.algorithm == "sha1") traffic.scheme.algorithm = HmacAlgorithm::kSha1;
  if (options.algorithm == "sha512") traffic.scheme.algorithm = HmacAlgorithm::kSha512;
  if (options.encoding == "base64") traffic.scheme.encoding = SignatureEncoding::kBase64;
  const Status status = Complete(&traffic.sender, run, {"stream.started", "stream.ended"});
  if (!status.ok()) return status;
  MadeMaker maker = HmacCallbackMaker::Create(std::move(traffic));
  if (!maker.ok()) return Status::InvalidArgument("--signed: " + maker.status().text());
  return maker;
}

MakeMaker AddHmac(CLI::App* command) {
  auto options = std::make_shared<HmacOptions>();  // As above.
  HmacTraffic* traffic = &options->traffic;
  HmacSettings& scheme = traffic->scheme;
  AddKeyOption(command, &traffic->sender.key, "The source's key");
  command->add_option("--header", scheme.header, "The header with the signature")->required();
  command->add_option("--algorithm", options->algorithm, "Of the HMAC")
      ->check(CLI::IsMember({"sha1", "sha256", "sha512"}))
      ->capture_default_str();
  command->add_option("--encoding", options->encoding, "Of the signature")
      ->check(CLI::IsMember({"hex", "base64"}))
      ->capture_default_str();
  command
      ->add_option("--signed", scheme.signed_text,
                   "What is signed, as in the catalog: {body}, {timestamp}, {header:Name}")
      ->capture_default_str();
  command->add_option("--prefix", scheme.prefix, "What stands before the signature");
  command->add_option("--separator", scheme.separator,
                      "Between timestamp and signature, where one header holds both");
  command->add_option("--timestamp-header", scheme.timestamp_header,
                      "The header with the seconds since 1970");
  command->add_option("--timestamp-prefix", scheme.timestamp_prefix,
                      "What stands before the timestamp");
  command->add_option("--type-header", traffic->type_header, "A header with the type");
  command->add_option("--id-header", traffic->id_header, "A header with the callback's id");
  AddSenderOptions(command, &traffic->sender, "stream", "stream.started,stream.ended");
  return [options](const std::string& run) { return MakeHmac(*options, run); };
}

constexpr SimulateKind kKinds[] = {
    {"tencent-live", "Tencent Cloud live: push, interruption, recording, screenshot and 14 more",
     "The provider sends again 12 times, a minute apart; screenshots 5 times, 2 minutes apart.\n"
     "Example:\n"
     "  relayctl simulate tencent-live --to http://127.0.0.1:8080/in/demo --key demo-key",
     &AddTencentLive},
    {"tencent-trtc", "Tencent RTC: rooms, media, relays, recordings",
     "The provider sends again at once and then every 10 s until a minute after the first time.\n"
     "Example:\n"
     "  relayctl simulate tencent-trtc --to http://127.0.0.1:8080/in/trtc-41d7 --key trtckey",
     &AddTrtc},
    {"volcengine-live", "Volcengine Live",
     "The provider sends again three times after 3 s, then for 10 minutes; a minute apart here,\n"
     "because it does not say how far.\n"
     "Example:\n"
     "  relayctl simulate volcengine-live --to http://127.0.0.1:8080/in/volcengine-8c21 "
     "--key auth-key-primary",
     &AddVolcengine},
    {"standard-webhooks", "Any sender that follows standardwebhooks.com",
     "Sent again after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h: the specification names no "
     "numbers.\n"
     "Example:\n"
     "  relayctl simulate standard-webhooks --to http://127.0.0.1:8080/in/partner "
     "--key whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
     &AddWebhooks},
    {"hmac", "Any sender that signs by an HMAC in a header",
     "Sent again at once, after 10 s and after 60 s: three times, as Agora does.\n"
     "Example:\n"
     "  relayctl simulate hmac --to http://127.0.0.1:8080/in/github-93aa --key 'a long random "
     "secret' \\\n"
     "    --header X-Hub-Signature-256 --prefix sha256= --type-header X-GitHub-Event "
     "--id-header X-GitHub-Delivery",
     &AddHmac},
};

}  // namespace

std::span<const SimulateKind> SimulateKinds() {
  return kKinds;
}

}  // namespace relay
