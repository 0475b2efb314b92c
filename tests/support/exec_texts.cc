#include "tests/support/exec_texts.h"

#include <unistd.h>

#include <algorithm>
#include <string_view>

namespace relay {

std::vector<char*> PointersTo(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> EnvironmentWith(const std::vector<std::string>& more) {
  std::vector<std::string> variables = more;
  for (char** variable = environ; *variable; ++variable) {
    const std::string_view own = *variable;
    const std::string_view name = own.substr(0, own.find('=') + 1);
    const bool replaced = std::any_of(more.begin(), more.end(), [name](const std::string& given) {
      return given.starts_with(name);
    });
    if (!replaced) variables.emplace_back(own);
  }
  return variables;
}

}  // namespace relay
