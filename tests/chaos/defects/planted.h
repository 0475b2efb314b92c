#pragma once

#include <string_view>

namespace relay {

class Log;

// What the planted sources ask. The environment variable RELAY_DEFECT=n plants the one defect of
// that number (see defects.cmake) in a program; unset, empty or 0 plants none. Loop thread only.

// Whether defect `number` is planted in this process.
bool planted(int number);
// The same for a defect that strikes seldom: true at every `every`-th call.
bool planted_one_in(int number, int every);

// Complains on stderr and returns false when RELAY_DEFECT names no defect of the table.
bool PlantedIsKnown(std::string_view program);
// One warning that names what is planted; nothing when nothing is.
void LogPlanted(Log& log);
void PrintPlanted(std::string_view program);

// The text of relay/scripts/<name>.lua as the planted defect leaves it. Stops the process when what
// the defect replaces does not stand in the text exactly once.
std::string_view PlantedScript(std::string_view name, std::string_view text);

}  // namespace relay
