#pragma once

#include <cstddef>
#include <string>

namespace relay {

// A gzip stream that unpacks to at least so many zero bytes and takes a 158th of that. Its
// checksum is none: nobody comes as far as its end.
std::string GzipBomb(size_t unpacked);

}  // namespace relay
