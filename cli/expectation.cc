#include "cli/expectation.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "cli/line_log.h"
#include "cli/tencent_families.h"

namespace relay {

namespace {

// What the log of simulate says of a body.
constexpr std::array<std::string_view, 9> kKnownMembers = {"event_type", "stream_id", "streamId",
                                                           "channel_id", "channelId", "app",
                                                           "domain",     "appname",   "path"};

// The members of a body that the log tells of, as JSON.
void AppendKnownMembers(const SentLine& sent, std::string_view provider, std::string& out) {
  JsonLine body(out);
  if (provider == "volcengine-live") {
    body.Text("event_type", sent.type).Text("app", "live").Text("domain", sent.domain);
  }
  if (provider != "tencent-live") return;
  int type = -1;
  std::from_chars(sent.type.data(), sent.type.data() + sent.type.size(), type);
  const TencentMembers members = MembersOf(type);
  body.Raw("event_type", sent.type);
  for (const auto& [name, value] : {std::pair(members.stream, std::string_view(sent.stream)),
                                    std::pair(members.channel, std::string_view(sent.stream)),
                                    std::pair(members.domain, std::string_view(sent.domain)),
                                    std::pair(members.path, std::string_view("live"))}) {
    if (!name.empty()) body.Text(name, value);
  }
}

// Refuses a pattern that asks for what is not known here. Below a member that is known the log
// tells all there is: these are plain values.
Status CheckMembers(const PatternObject& pattern, const std::string& name) {
  for (const PatternClause& clause : pattern.clauses) {
    if (clause.kind == PatternClause::Kind::kOr) {
      for (const PatternObject& alternative : clause.objects) {
        if (Status status = CheckMembers(alternative, name); !status.ok()) return status;
      }
      continue;
    }
    const bool known =
        clause.name.starts_with('$') ||
        std::find(kKnownMembers.begin(), kKnownMembers.end(), clause.name) != kKnownMembers.end();
    if (known) continue;
    return Status::InvalidArgument("endpoint " + name + ": the pattern asks for '" + clause.name +
                                   "', which the log of simulate does not tell");
  }
  return Status::Ok();
}

}  // namespace

Result<std::unique_ptr<Expectation>> Expectation::Create(const Catalog& catalog,
                                                         const std::string& source) {
  CatalogPtr held = CatalogSnapshot::Of(catalog);
  const Source* found = nullptr;
  if (!source.empty()) {
    found = held->FindSource(source);
    if (!found) return Status::NotFound("the catalog has no source '" + source + "'");
  } else if (held->sources().size() == 1) {
    found = &held->sources().front();
  } else {
    return Status::InvalidArgument("the catalog has several sources: name one with --source");
  }
  std::unique_ptr<Expectation> out(new Expectation(held, *found));
  if (Status status = out->Compile(); !status.ok()) return status;
  return out;
}

Expectation::Expectation(CatalogPtr catalog, const Source& source)
    : catalog_(std::move(catalog)), source_(source), router_(catalog_) {}

Status Expectation::Compile() {
  for (const Tenant* tenant : catalog_->Tenants()) {
    std::vector<Compiled>& compiled = compiled_[tenant];
    for (const Endpoint& endpoint : tenant->endpoints) {
      const std::string name = tenant->id + "/" + endpoint.id;
      endpoints_[name] = &endpoint;
      if (endpoint.state == EndpointState::kDisabled) continue;
      Result<EventPattern> pattern = EventPattern::Parse(endpoint.pattern);
      if (!pattern.ok()) return pattern.status();
      if (Status status = CheckMembers(pattern->tree(), name); !status.ok()) return status;
      compiled.push_back(Compiled{name, std::move(*pattern)});
    }
  }
  return Status::Ok();
}

const Endpoint* Expectation::Find(const std::string& endpoint) const {
  const auto found = endpoints_.find(endpoint);
  return found == endpoints_.end() ? nullptr : found->second;
}

const OwedEndpoints& Expectation::EndpointsOwed(const SentLine& sent) {
  key_.clear();
  for (const std::string* part :
       {&sent.type, &sent.stream, &sent.domain, &sent.param, &sent.appid}) {
    key_ += *part;
    key_ += '\n';
  }
  const auto known = known_.find(key_);
  if (known != known_.end()) return *known->second;
  RouteAttributes attributes;
  attributes.push_domain = sent.domain;
  attributes.stream_id = sent.stream;
  attributes.stream_param = sent.param;
  attributes.appid = sent.appid;
  const Tenant* tenant = router_.Route(source_, attributes);
  const OwedEndpoints& answer =
      *answers_.insert(tenant ? Match(sent, *tenant) : OwedEndpoints()).first;
  known_[key_] = &answer;
  return answer;
}

OwedEndpoints Expectation::Match(const SentLine& sent, const Tenant& tenant) {
  text_.clear();
  AppendKnownMembers(sent, source_.provider, text_);
  OwedEndpoints owed;
  const bool readable = body_.Parse(text_).ok();
  for (const Compiled& endpoint : compiled_[&tenant]) {
    if (endpoint.pattern.needs_body() && !readable) continue;
    if (endpoint.pattern.Matches(&body_, {sent.type, source_.id, tenant.id})) {
      owed.push_back(endpoint.name);
    }
  }
  return owed;
}

}  // namespace relay
