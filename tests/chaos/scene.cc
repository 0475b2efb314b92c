#include "tests/chaos/scene.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <utility>

#include "cli/line_log.h"
#include "relay/json_object.h"

namespace relay {

namespace {

// A scenario that finds the same thing wrong a thousand times has said enough.
constexpr size_t kBreachesMax = 20;

// The result's file is a line for each thing: {"breach":"..."}, {"count":"kills","value":20}.
void AppendTexts(const char* kind, const std::vector<std::string>& texts, std::string& out) {
  for (const std::string& text : texts) JsonLine(out).Text(kind, text);
}

void AppendNumbers(const char* kind, const std::map<std::string, int64_t>& numbers,
                   std::string& out) {
  for (const auto& [name, value] : numbers) {
    JsonLine(out).Text(kind, name).Number("value", value);
  }
}

int64_t NumberOf(const JsonObject& line, std::string_view name) {
  const JsonMember* member = line.Find(name);
  int64_t number = 0;
  if (member) std::from_chars(member->raw.data(), member->raw.data() + member->raw.size(), number);
  return number;
}

bool TextOf(const JsonObject& line, std::string_view name, std::string* out) {
  const JsonMember* member = line.Find(name);
  if (!member || member->kind != JsonKind::kString) return false;
  std::string buffer;
  *out = member->StringValue(buffer);
  return true;
}

}  // namespace

void SceneResult::Add(const SceneResult& round) {
  breaches.insert(breaches.end(), round.breaches.begin(), round.breaches.end());
  for (const std::string& remark : round.remarks) {
    if (std::find(remarks.begin(), remarks.end(), remark) == remarks.end()) {
      remarks.push_back(remark);
    }
  }
  for (const auto& [name, value] : round.counts) counts[name] += value;
  for (const auto& [name, value] : round.worst) {
    const auto [at, is_new] = worst.try_emplace(name, value);
    if (!is_new) at->second = std::max(at->second, value);
  }
  seconds += round.seconds;
}

Status WriteSceneResult(const SceneResult& result, const std::string& path) {
  std::string text;
  AppendTexts("breach", result.breaches, text);
  AppendTexts("remark", result.remarks, text);
  AppendNumbers("count", result.counts, text);
  AppendNumbers("worst", result.worst, text);
  JsonLine(text).Number("took_ms", static_cast<int64_t>(result.seconds * 1000));
  // Renamed into place: who resumes a run must not take half a result for a whole one.
  const std::string draft = path + ".draft";
  std::ofstream file(draft, std::ios::binary);
  file << text;
  file.close();
  if (!file || std::rename(draft.c_str(), path.c_str()) != 0) {
    return Status::Unavailable("cannot write " + path);
  }
  return Status::Ok();
}

Result<SceneResult> ReadSceneResult(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Status::NotFound("cannot open " + path);
  SceneResult result;
  JsonObject line;
  std::string name;
  for (std::string text; std::getline(file, text);) {
    if (Status status = line.Parse(text); !status.ok()) return status;
    if (TextOf(line, "breach", &name)) result.breaches.push_back(name);
    if (TextOf(line, "remark", &name)) result.remarks.push_back(name);
    if (TextOf(line, "count", &name)) result.counts[name] = NumberOf(line, "value");
    if (TextOf(line, "worst", &name)) result.worst[name] = NumberOf(line, "value");
    if (line.Find("took_ms")) {
      result.seconds = static_cast<double>(NumberOf(line, "took_ms")) / 1000;
    }
  }
  return result;
}

Scene::Scene(Setting setting)
    : setting_(std::move(setting)), random_(setting_.seed), begun_(clock_.Now()) {
  // So that the accountant finds a log even when there was no fault.
  std::ofstream(fault_log(), std::ios::app).flush();
}

Millis Scene::Between(Millis least, Millis most) {
  return least + Millis(static_cast<int64_t>(
                     random_.Below(static_cast<uint64_t>((most - least).count() + 1))));
}

void Scene::Expect(bool holds, const std::string& breach) {
  if (holds) return;
  if (result_.breaches.size() < kBreachesMax) result_.breaches.push_back(breach);
  if (hunts()) End();
}

void Scene::Abandon(const std::string& why) {
  Expect(false, why);
  End();
}

void Scene::End() {
  Conclude();
  // Children die with this process; destructors would wait for them.
  _exit(1);
}

void Scene::Require(const Status& status, const std::string& what) {
  if (!status.ok()) Abandon(what + ": " + status.text());
}

void Scene::Worst(const std::string& name, int64_t value) {
  const auto [at, is_new] = result_.worst.try_emplace(name, value);
  if (!is_new) at->second = std::max(at->second, value);
}

void Scene::LogFault(const std::string& kind, const std::string& target, int64_t from_us,
                     int64_t until_us, int64_t may_lose_us) {
  std::string line;
  {
    JsonLine json(line);
    json.Number("at_us", from_us)
        .Number("until_us", until_us)
        .Text("kind", kind)
        .Text("target", target);
    if (may_lose_us > 0) json.Number("may_lose_us", may_lose_us);
  }
  std::ofstream(fault_log(), std::ios::app) << line;
  Count("faults", 1);
}

void Scene::LogFault(const std::string& kind, const std::string& target) {
  const int64_t now_us = WallMicros();
  LogFault(kind, target, now_us, now_us);
}

void Scene::Conclude() {
  result_.seconds = std::chrono::duration<double>(clock_.Now() - begun_).count();
  const Status written = WriteSceneResult(result_, result_path());
  if (!written.ok()) std::fprintf(stderr, "chaos: %s\n", written.text().c_str());
}

int64_t WallMicros() {
  return MicrosSinceEpoch(SystemClock().WallNow());
}

void Pass(Millis time) {
  const SystemClock clock;
  const MonoTime end = clock.Now() + time;
  for (MonoTime now = clock.Now(); now < end; now = clock.Now()) {
    const auto left = std::chrono::ceil<Millis>(end - now);
    poll(nullptr, 0, static_cast<int>(left.count()));
  }
}

}  // namespace relay
