#include "tests/chaos/defects/planted.h"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

#include "relay/check.h"
#include "relay/log.h"
#include "tests/chaos/defects/defect_table.h"

namespace relay {
namespace {

constexpr int kNoNumber = -1;

const char* Wanted() {
  const char* text = std::getenv("RELAY_DEFECT");
  return text == nullptr ? "" : text;
}

int ReadNumber() {
  const char* text = Wanted();
  const char* end = text + std::strlen(text);
  int number = 0;
  const auto read = std::from_chars(text, end, number);
  return text == end || (read.ec == std::errc() && read.ptr == end) ? number : kNoNumber;
}

int Number() {
  static const int number = ReadNumber();
  return number;
}

const PlantedDefect* Planted() {
  for (const PlantedDefect& defect : PlantedDefects()) {
    if (planted(defect.number)) return &defect;
  }
  return nullptr;
}

}  // namespace

bool planted(int number) {
  return Number() == number;
}

bool planted_one_in(int number, int every) {
  static int calls = 0;
  return planted(number) && ++calls % every == 0;
}

bool PlantedIsKnown(std::string_view program) {
  if (planted(0) || Planted()) return true;
  std::fprintf(stderr, "%.*s: RELAY_DEFECT=%s names no defect\n", static_cast<int>(program.size()),
               program.data(), Wanted());
  return false;
}

void LogPlanted(Log& log) {
  if (const PlantedDefect* defect = Planted()) {
    log.Warning("defect_planted", "this program is defective on purpose",
                {{"defect", defect->number}, {"name", defect->name}});
  }
}

void PrintPlanted(std::string_view program) {
  if (const PlantedDefect* defect = Planted()) {
    std::fprintf(stderr, "%.*s: defect %d is planted: %.*s\n", static_cast<int>(program.size()),
                 program.data(), defect->number, static_cast<int>(defect->name.size()),
                 defect->name.data());
  }
}

std::string_view PlantedScript(std::string_view name, std::string_view text) {
  // For the life of the program, because texts are views; some are asked for again and again.
  static std::map<std::string_view, std::string> texts;
  const auto [kept, is_new] = texts.try_emplace(name, text);
  std::string& script = kept->second;
  if (!is_new) return script;
  for (const ScriptPlant& plant : ScriptPlants()) {
    if (plant.script != name || !planted(plant.number)) continue;
    const size_t at = script.find(plant.from);
    RELAY_CHECK(at != std::string::npos && script.find(plant.from, at + 1) == std::string::npos);
    script.replace(at, plant.from.size(), plant.to);
  }
  return script;
}

}  // namespace relay
