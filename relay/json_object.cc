#include "relay/json_object.h"

#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "relay/ascii.h"
#include "relay/json_span.h"
#include "relay/utf8.h"

namespace relay {
namespace {

// Up to so many keys of one object are compared each with each other; more are sorted.
constexpr size_t kPairwiseMax = 32;

// A byte that ends a run of plain string bytes: a quote, a backslash, or one that must be escaped.
bool EndsPlainRun(char c) {
  return c == '"' || c == '\\' || static_cast<uint8_t>(c) < 0x20;
}

// The first such byte from `at` on, eight at a time.
const char* SkipPlainRun(const char* at, const char* end) {
  constexpr uint64_t kOnes = 0x0101010101010101u;
  constexpr uint64_t kHigh = 0x8080808080808080u;
  // Has a high bit where a byte of `word` is zero, and none where no byte is.
  const auto zeros = [](uint64_t word) { return (word - kOnes) & ~word & kHigh; };
  uint64_t word;
  while (end - at >= 8) {
    std::memcpy(&word, at, sizeof(word));
    const uint64_t below_space = (word - kOnes * 0x20) & ~word & kHigh;
    if ((zeros(word ^ kOnes * '"') | zeros(word ^ kOnes * '\\') | below_space) != 0) break;
    at += 8;
  }
  while (at != end && !EndsPlainRun(*at)) ++at;
  return at;
}

// A view as RapidJSON's input. It shows NUL at its end, as the reader expects; whether a NUL was
// that end is for the caller to see by Tell().
//
// The reader is told to decode strings in place, but what it puts goes nowhere: only its length is
// counted, to know strings with escapes from those without. That saves it the copying, and us a
// buffer; and as it calls PutBegin() at the start of each string, the plain bytes there are skipped
// at once. The text is checked to be UTF-8 beforehand.
class ByteStream {
 public:
  using Ch = char;
  explicit ByteStream(std::string_view bytes)
      : begin_(bytes.data()), at_(begin_), end_(begin_ + bytes.size()) {}

  Ch Peek() const { return at_ != end_ ? *at_ : '\0'; }
  Ch Take() { return at_ != end_ ? *at_++ : '\0'; }
  size_t Tell() const { return at_ - begin_; }
  Ch* PutBegin() {
    const char* plain_end = SkipPlainRun(at_, end_);
    put_ = plain_end - at_;
    at_ = plain_end;
    return nullptr;
  }
  void Put(Ch) { ++put_; }
  size_t PutEnd(Ch*) { return put_; }
  void Flush() {}

 private:
  const char* begin_;
  const char* at_;
  const char* end_;
  size_t put_ = 0;
};

bool HoldsLoneSurrogate(std::string_view decoded) {
  for (size_t i = 0; i + 1 < decoded.size(); ++i) {
    // U+D800 to U+DFFF, which no UTF-8 text may hold, begin so and only they do.
    if (decoded[i] == '\xED' && static_cast<uint8_t>(decoded[i + 1]) >= 0xA0) return true;
  }
  return false;
}

// Tells most different keys apart without looking at them whole.
uint64_t Fingerprint(std::string_view key) {
  uint32_t head = 0;
  uint32_t tail = 0;
  const size_t n = std::min<size_t>(key.size(), 4);
  std::memcpy(&head, key.data(), n);
  std::memcpy(&tail, key.data() + key.size() - n, n);
  return (static_cast<uint64_t>(head) << 32 | tail) ^ (key.size() * 0x9E3779B97F4A7C15u);
}

// A key of an object that is still open.
struct KeyInUse {
  uint64_t fingerprint;
  std::string_view text;

  bool operator==(const KeyInUse&) const = default;
  auto operator<=>(const KeyInUse&) const = default;
};

// May change the order of `keys`.
bool KeysAreUnique(std::span<KeyInUse> keys) {
  if (keys.size() <= kPairwiseMax) {
    for (size_t i = 1; i < keys.size(); ++i) {
      for (size_t j = 0; j < i; ++j) {
        if (keys[i] == keys[j]) return false;
      }
    }
    return true;
  }
  // Sorted and not hashed: nobody can choose keys that make it slow.
  std::sort(keys.begin(), keys.end());
  return std::adjacent_find(keys.begin(), keys.end()) == keys.end();
}

uint32_t Hex4(const char* at) {
  return HexDigit(at[0]) << 12 | HexDigit(at[1]) << 8 | HexDigit(at[2]) << 4 | HexDigit(at[3]);
}

void AppendUtf8(uint32_t point, std::string& out) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0 | point >> 6);
    out += static_cast<char>(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0 | point >> 12);
    out += static_cast<char>(0x80 | (point >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (point & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | point >> 18);
    out += static_cast<char>(0x80 | (point >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (point >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (point & 0x3F));
  }
}

// Appends what the escape at `at` (behind the backslash) stands for and returns its end. The text
// has been checked, so every escape is whole.
const char* AppendEscape(const char* at, std::string& out) {
  switch (*at) {
    case 'b':
      out += '\b';
      return at + 1;
    case 'f':
      out += '\f';
      return at + 1;
    case 'n':
      out += '\n';
      return at + 1;
    case 'r':
      out += '\r';
      return at + 1;
    case 't':
      out += '\t';
      return at + 1;
    case 'u':
      break;
    default:
      out += *at;
      return at + 1;
  }
  uint32_t point = Hex4(at + 1);
  at += 5;
  if (point >= 0xD800 && point < 0xDC00) {
    point = 0x10000 + ((point - 0xD800) << 10) + (Hex4(at + 2) - 0xDC00);
    at += 6;
  }
  AppendUtf8(point, out);
  return at;
}

void AppendDecoded(std::string_view inside, std::string& out) {
  const char* at = inside.data();
  const char* end = at + inside.size();
  while (at != end) {
    const char* escape = static_cast<const char*>(std::memchr(at, '\\', end - at));
    if (escape == nullptr) {
      out.append(at, end);
      return;
    }
    out.append(at, escape);
    at = AppendEscape(escape + 1, out);
  }
}

// A string as written, without its quotes.
std::string_view Inside(std::string_view token) {
  return token.substr(1, token.size() - 2);
}

}  // namespace

std::string_view JsonMember::StringValue(std::string& buffer) const {
  RELAY_CHECK(kind == JsonKind::kString);
  const std::string_view inside = Inside(raw);
  if (inside.find('\\') == std::string_view::npos) return inside;
  buffer.clear();
  AppendDecoded(inside, buffer);
  return buffer;
}

// The handler of the reader's events. RapidJSON does not say where a token began: it began at the
// first byte after the end of the one before that is neither space nor separator.
struct JsonObject::Scanner {
  rapidjson::Reader reader;
  std::string_view bytes;
  const ByteStream* stream = nullptr;
  std::vector<JsonMember> members;
  std::vector<KeyInUse> keys;     // Of all objects that are open, the outermost first.
  std::vector<size_t> first_key;  // For each open container, where its own keys begin.
  std::string decoded;            // Keys that were written with escapes; never reallocates.
  std::string scratch;
  size_t token_end = 0;             // Where the token before ended.
  size_t value_begin = 0;           // Of the top-level member that is open.
  const char* complaint = nullptr;  // Why we stopped the reader, and then why it failed.
  size_t complaint_at = 0;

  bool Refuse(const char* why) {
    complaint = why;
    return false;
  }

  // The bytes of the token that has just been read.
  std::string_view Token() {
    size_t begin = token_end;
    while (IsBetweenTokens(bytes[begin])) ++begin;
    token_end = stream->Tell();
    return bytes.substr(begin, token_end - begin);
  }

  bool Scalar(JsonKind kind) { return Scalar(kind, Token()); }
  bool Scalar(JsonKind kind, std::string_view token) {
    if (first_key.empty()) return Refuse("not an object");
    if (first_key.size() == 1) EndMember(kind, token);
    return true;
  }
  void EndMember(JsonKind kind, std::string_view raw) {
    members.back().kind = kind;
    members.back().raw = raw;
  }

  // The iterative reader calls for a bracket while it stands before it.
  void TakeBracket() { token_end = stream->Tell() + 1; }

  bool Open() {
    TakeBracket();
    if (first_key.empty() && bytes[token_end - 1] != '{') return Refuse("not an object");
    if (first_key.size() == kDepthMax) return Refuse("nested too deeply");
    if (first_key.size() == 1) value_begin = token_end - 1;
    first_key.push_back(keys.size());
    return true;
  }
  bool Close(JsonKind kind) {
    TakeBracket();
    const bool unique = KeysAreUnique(std::span(keys).subspan(first_key.back()));
    keys.resize(first_key.back());
    first_key.pop_back();
    if (!unique) return Refuse("a key occurs twice in one object");
    if (first_key.size() == 1) {
      EndMember(kind, bytes.substr(value_begin, token_end - value_begin));
    }
    return true;
  }

  // RapidJSON's handler interface.
  bool Null() { return Scalar(JsonKind::kNull); }
  bool Bool(bool value) { return Scalar(value ? JsonKind::kTrue : JsonKind::kFalse); }
  bool Int(int) { return Scalar(JsonKind::kNumber); }
  bool Uint(unsigned) { return Scalar(JsonKind::kNumber); }
  bool Int64(int64_t) { return Scalar(JsonKind::kNumber); }
  bool Uint64(uint64_t) { return Scalar(JsonKind::kNumber); }
  bool Double(double) { return Scalar(JsonKind::kNumber); }
  bool RawNumber(const char*, rapidjson::SizeType, bool) { return Scalar(JsonKind::kNumber); }
  bool String(const char*, rapidjson::SizeType size, bool) {
    const std::string_view token = Token();
    if (!Scalar(JsonKind::kString, token)) return false;
    if (token.size() == size + 2) return true;
    scratch.clear();
    AppendDecoded(Inside(token), scratch);
    return !HoldsLoneSurrogate(scratch) || Refuse("a lone surrogate");
  }
  bool StartObject() { return Open(); }
  bool StartArray() { return Open(); }
  bool EndObject(rapidjson::SizeType) { return Close(JsonKind::kObject); }
  bool EndArray(rapidjson::SizeType) { return Close(JsonKind::kArray); }
  bool Key(const char*, rapidjson::SizeType size, bool) {
    const std::string_view token = Token();
    std::string_view key = Inside(token);
    if (key.size() != size) {  // Written with escapes.
      if (decoded.capacity() < bytes.size()) decoded.reserve(bytes.size());
      const size_t begin = decoded.size();
      AppendDecoded(key, decoded);
      key = std::string_view(decoded).substr(begin);
      if (HoldsLoneSurrogate(key)) return Refuse("a lone surrogate");
    }
    if (keys.size() - first_key.back() == kMembersMax) return Refuse("too many members");
    keys.push_back({Fingerprint(key), key});
    if (first_key.size() == 1) members.push_back({key, token, {}, JsonKind::kNull});
    return true;
  }
};

JsonObject::JsonObject() : scanner_(std::make_unique<Scanner>()) {}
JsonObject::~JsonObject() = default;

Status JsonObject::Parse(std::string_view bytes) {
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseInsituFlag;
  Scanner& scanner = *scanner_;
  ByteStream stream(bytes);
  scanner.bytes = bytes;
  scanner.stream = &stream;
  scanner.members.clear();
  scanner.keys.clear();
  scanner.first_key.clear();
  scanner.decoded.clear();
  scanner.token_end = 0;
  scanner.complaint = nullptr;

  const char* why = nullptr;
  if (!IsUtf8(bytes)) {
    why = "invalid UTF-8";
  } else {
    const rapidjson::ParseResult result = scanner.reader.Parse<kFlags>(stream, scanner);
    why = scanner.complaint;
    if (why == nullptr && result.IsError()) why = rapidjson::GetParseError_En(result.Code());
  }
  // The reader takes a NUL for the end.
  if (why == nullptr && stream.Tell() != bytes.size()) why = "a NUL byte";
  scanner.stream = nullptr;
  if (why == nullptr) return Status::Ok();
  scanner.members.clear();
  scanner.complaint = why;
  scanner.complaint_at = stream.Tell();
  return Status::InvalidArgument("not a JSON object we take: " + std::string(why) + " at byte " +
                                 std::to_string(stream.Tell()));
}

const char* JsonObject::complaint() const {
  return scanner_->complaint;
}

size_t JsonObject::complaint_at() const {
  return scanner_->complaint_at;
}

std::span<const JsonMember> JsonObject::members() const {
  return scanner_->members;
}

const JsonMember* JsonObject::Find(std::string_view key) const {
  for (const JsonMember& member : scanner_->members) {
    if (member.key == key) return &member;
  }
  return nullptr;
}

std::string_view JsonObject::bytes() const {
  return scanner_->bytes;
}

}  // namespace relay
