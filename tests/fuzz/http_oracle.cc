#include "tests/fuzz/http_oracle.h"

#include "relay/http_grammar.h"

namespace relay {

void OracleCollector::TrimValues() {
  for (auto& [name, value] : reading.headers) value = std::string(TrimBlanks(value));
}

}  // namespace relay
