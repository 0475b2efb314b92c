#include "workers/formats/tencent_format.h"

#include <gtest/gtest.h>

#include <array>

namespace relay {
namespace {

constexpr int64_t kExpires = 1700000600;

std::string Signed(std::string_view body) {
  TencentFormat format;
  Result<std::string> result = format.Sign(body, "customer-key", kExpires);
  return result.ok() ? *result : "refused";
}

std::string Sign() {
  return TencentSignature().Sign("customer-key", std::to_string(kExpires));
}

TEST(TencentFormatTest, ReplacesBothMembersWhereTheyStand) {
  EXPECT_EQ(Signed(R"({"event_type":1,"sign":"old","t":1600000000,"stream_id":"s"})"),
            R"({"event_type":1,"sign":")" + Sign() + R"(","t":1700000600,"stream_id":"s"})");
  EXPECT_EQ(Signed(R"({"t":1,"sign":""})"), R"({"t":1700000600,"sign":")" + Sign() + "\"}");
}

TEST(TencentFormatTest, KeepsTheTypeOfT) {
  EXPECT_EQ(Signed(R"({"t":"1600000000","sign":"x"})"),
            R"({"t":"1700000600","sign":")" + Sign() + "\"}");
  EXPECT_EQ(Signed(R"({"t":null,"sign":"x"})"), R"({"t":1700000600,"sign":")" + Sign() + "\"}");
}

TEST(TencentFormatTest, InsertsWhatIsAbsentBeforeTheLastBrace) {
  EXPECT_EQ(Signed(R"({"a":1})"), R"({"a":1,"t":1700000600,"sign":")" + Sign() + "\"}");
  EXPECT_EQ(Signed(R"({"a":1,"t":5})"), R"({"a":1,"t":1700000600,"sign":")" + Sign() + "\"}");
  EXPECT_EQ(Signed(R"({"sign":"x"})"), R"({"sign":")" + Sign() + R"(","t":1700000600})");
  EXPECT_EQ(Signed("{}"), R"({"t":1700000600,"sign":")" + Sign() + "\"}");
}

TEST(TencentFormatTest, EveryOtherByteStays) {
  EXPECT_EQ(Signed("{ \"a\" : \"}t\\u0041\" ,\r\n \"t\" : 1 , \"b\":{\"t\":2,\"sign\":\"in\"},"
                   " \"sign\" : \"o\" }\n "),
            "{ \"a\" : \"}t\\u0041\" ,\r\n \"t\" : 1700000600 , \"b\":{\"t\":2,\"sign\":\"in\"},"
            " \"sign\" : \"" +
                Sign() + "\" }\n ");
}

TEST(TencentFormatTest, WhatItMakesVerifiesAndOnlyItsSignatureDiffers) {
  const std::string body = R"({"app":"a","t":"1600000000","x":[1,2.50],"sign":"old"})";
  const std::string made = Signed(body);
  JsonObject object;
  ASSERT_TRUE(object.Parse(made).ok());
  std::string t_buffer, sign_buffer;
  const std::array<std::string, 1> keys = {"customer-key"};
  EXPECT_TRUE(TencentSignature().Verify(keys, object.Find("t")->StringValue(t_buffer),
                                        object.Find("sign")->StringValue(sign_buffer)));
  // The type of `t` is kept, so blanked they are the same.
  EXPECT_EQ(BlankSignature(made), BlankSignature(body));
}

TEST(TencentFormatTest, WhatIsNoObjectIsRefused) {
  for (const char* body : {"", "[]", "text", "{\"t\":1", "{\"t\":1,\"t\":2}"}) {
    EXPECT_EQ(Signed(body), "refused") << body;
  }
}

}  // namespace
}  // namespace relay
