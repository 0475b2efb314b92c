#include "cli/expectation.h"

#include <algorithm>
#include <array>
#include <utility>

#include "cli/line_log.h"

namespace relay {

namespace {

// What the log of simulate says of a body.
constexpr std::array<std::string_view, 6> kKnownMembers = {"event_type", "stream_id", "channel_id",
                                                           "app",        "domain",    "appname"};

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
  for (const std::string* part : {&sent.type, &sent.stream, &sent.domain, &sent.param}) {
    key_ += *part;
    key_ += '\n';
  }
  const auto known = known_.find(key_);
  if (known != known_.end()) return *known->second;
  RouteAttributes attributes;
  attributes.push_domain = sent.domain;
  attributes.stream_id = sent.stream;
  attributes.stream_param = sent.param;
  const Tenant* tenant = router_.Route(source_, attributes);
  const OwedEndpoints& answer =
      *answers_.insert(tenant ? Match(sent, *tenant) : OwedEndpoints()).first;
  known_[key_] = &answer;
  return answer;
}

OwedEndpoints Expectation::Match(const SentLine& sent, const Tenant& tenant) {
  const bool pushed =
      sent.type == "0" || sent.type == "1" || sent.type == "100" || sent.type == "200";
  text_.clear();
  {
    JsonLine body(text_);
    body.Raw("event_type", sent.type).Text("stream_id", sent.stream).Text("appname", "live");
    body.Text(pushed ? "app" : "domain", sent.domain);
    if (pushed) body.Text("channel_id", sent.stream);
  }
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
