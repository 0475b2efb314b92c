#pragma once

#include <string>
#include <vector>

namespace relay {

// The text of a script of ours in which the `nth` redis.call (from 1) raises instead of being made.
// It hooks the very texts: each of them calls Redis through the one alias `call`.
std::string FailingAtCall(const std::string& text, int nth);

// A script spoiled on purpose, to show that the harness sees what it is there to see.
struct Spoil {
  std::string name;
  std::string script;  // RedisScript::name of what is spoiled.
  std::string from;    // Stands once in its text,
  std::string to;      // and is replaced by this.
};
const std::vector<Spoil>& Spoils();
// Requires: `from` stands in the text exactly once.
std::string Spoilt(const std::string& text, const Spoil& spoil);

}  // namespace relay
