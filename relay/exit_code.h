#pragma once

namespace relay {

// What our programs exit with: people script against these numbers.
enum ExitCode {
  kExitOk = 0,
  kExitCheckFailed = 1,  // Loss, breach, no match: the command did its work and the answer is no.
  kExitUsage = 2,
  kExitConf = 3,  // The conf or the catalog is wrong or cannot be found.
  kExitRedis = 4,
  kExitUnsafe = 5,        // Redis is set up so that accepted callbacks could be lost.
  kExitPortOrFolder = 6,  // A port is in use, or a file or folder cannot be opened or written.
  kExitInterrupted = 130,
};

}  // namespace relay
