#include "cli/account_lines.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <vector>

namespace relay {

namespace {

constexpr size_t kBlockBytes = 1024 * 1024;

}  // namespace

void AccountLineParser::SetText(const char* name, std::string* out) {
  const JsonMember* member = object_.Find(name);
  if (!member) {
    out->clear();
  } else if (member->kind == JsonKind::kString) {
    *out = member->StringValue(buffer_);
  } else {
    *out = member->raw;
  }
}

int64_t AccountLineParser::Number(const char* name) {
  const JsonMember* member = object_.Find(name);
  int64_t number = 0;
  if (member && member->kind == JsonKind::kNumber) {
    std::from_chars(member->raw.data(), member->raw.data() + member->raw.size(), number);
  }
  return number;
}

Status AccountLineParser::Parse(std::string_view text, SentLine* line) {
  if (Status status = object_.Parse(text); !status.ok()) return status;
  SetText("op", &buffer_);
  line->answer = buffer_ == "answer";
  if (!line->answer && buffer_ != "send") return Status::InvalidArgument("op is send or answer");
  SetText("seq", &line->seq);
  if (line->seq.empty()) return Status::InvalidArgument("seq is missing");
  SetText("sha256", &line->sha256);
  SetText("type", &line->type);
  SetText("stream", &line->stream);
  SetText("domain", &line->domain);
  SetText("param", &line->param);
  SetText("appid", &line->appid);
  line->at_us = Number("at_us");
  line->status = static_cast<int>(Number("status"));
  line->latency_us = Number("latency_us");
  return Status::Ok();
}

Status AccountLineParser::Parse(std::string_view text, ReceivedLine* line) {
  if (Status status = object_.Parse(text); !status.ok()) return status;
  SetText("endpoint", &line->endpoint);
  if (line->endpoint.empty()) return Status::InvalidArgument("endpoint is missing");
  SetText("webhook_id", &line->webhook_id);
  SetText("seq", &line->seq);
  SetText("sha256", &line->sha256);
  SetText("signature", &line->signature);
  line->attempt = static_cast<int>(Number("attempt"));
  line->status = static_cast<int>(Number("status"));
  line->at_us = Number("at_us");
  return Status::Ok();
}

Status AccountLineParser::Listed(std::string_view text, ListedLine* line) {
  if (Status status = object_.Parse(text); !status.ok()) return status;
  SetText("endpoint", &line->endpoint);
  // Both forms are taken: the endpoint's whole name in one member, or its tenant in another.
  if (!line->endpoint.empty() && line->endpoint.find('/') == std::string::npos) {
    std::string tenant;
    SetText("tenant", &tenant);
    line->endpoint = tenant + "/" + line->endpoint;
  }
  SetText("webhook_id", &line->webhook_id);
  if (line->webhook_id.empty()) SetText("event_id", &line->webhook_id);
  if (line->webhook_id.empty()) SetText("id", &line->webhook_id);
  SetText("seq", &line->seq);
  std::string body;
  SetText("body", &body);
  if (line->seq.empty() && !body.empty()) line->seq = reader_.Read(body).seq;
  if (line->seq.empty() && line->webhook_id.empty()) {
    return Status::InvalidArgument("neither an event id nor a seq");
  }
  return Status::Ok();
}

Status AccountLineParser::Parse(std::string_view text, DeadLine* line) {
  if (Status status = Listed(text, line); !status.ok()) return status;
  SetText("reason", &line->reason);
  return line->endpoint.empty() ? Status::InvalidArgument("endpoint is missing") : Status::Ok();
}

Status AccountLineParser::Parse(std::string_view text, PendingLine* line) {
  return Listed(text, line);
}

Status AccountLineParser::Parse(std::string_view text, FaultLine* line) {
  if (Status status = object_.Parse(text); !status.ok()) return status;
  line->at_us = Number("at_us");
  if (line->at_us <= 0) return Status::InvalidArgument("at_us is missing");
  line->until_us = Number("until_us");
  if (line->until_us == 0) line->until_us = line->at_us;
  if (line->until_us < line->at_us) return Status::InvalidArgument("until_us comes before at_us");
  SetText("kind", &line->kind);
  SetText("target", &line->target);
  line->may_lose_us = Number("may_lose_us");
  return Status::Ok();
}

Status ForEachLine(const std::string& path, const std::function<void(std::string_view)>& on_line) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Status::NotFound("cannot open " + path + ": " + std::strerror(errno));
  std::vector<char> block(kBlockBytes);
  std::string rest;  // The beginning of a line whose end has not been read.
  Status status;
  while (true) {
    const ssize_t got = read(fd, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) status = Status::Unavailable("cannot read " + path + ": " + std::strerror(errno));
    if (got <= 0) break;
    std::string_view text(block.data(), static_cast<size_t>(got));
    for (size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
      if (rest.empty()) {
        on_line(text.substr(0, end));
      } else {
        rest += text.substr(0, end);
        on_line(rest);
        rest.clear();
      }
      text.remove_prefix(end + 1);
    }
    rest += text;
  }
  close(fd);
  // A last line without its newline was cut off by a crash: its parser will say so.
  if (status.ok() && !rest.empty()) on_line(rest);
  return status;
}

}  // namespace relay
