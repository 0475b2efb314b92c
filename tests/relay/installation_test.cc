#include "relay/installation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "tests/support/fake_redis.h"
#include "tests/support/simulated_loop.h"

namespace relay {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class InstallationTest : public ::testing::Test {
 protected:
  InstallationTest() {
    redis_.On("HSETNX", [this](const FakeRedisCall& call) {
      return RedisValue::Integer(meta_.emplace(call.args[1], call.args[2]).second ? 1 : 0);
    });
    redis_.On("HMGET", [this](const FakeRedisCall& call) {
      std::vector<RedisValue> values;
      for (size_t i = 1; i < call.args.size(); ++i) {
        const auto found = meta_.find(call.args[i]);
        values.push_back(found == meta_.end() ? RedisValue::Nil()
                                              : RedisValue::Text(found->second));
      }
      return RedisValue::Array(std::move(values));
    });
  }
  void Start(InstallationFacts ours) {
    installation_.emplace(loop_, redis_, ours);
    loop_.RunReady();
  }
  std::vector<std::string> Words() const {
    std::vector<std::string> out;
    for (const ReadinessProblem& problem : installation_->problems()) out.push_back(problem.word);
    return out;
  }

  SimulatedLoop loop_;
  FakeRedis redis_{loop_};
  std::map<std::string, std::string> meta_;
  std::optional<Installation> installation_;
};

TEST_F(InstallationTest, TheFirstProgramWritesTheFacts) {
  Start({1, 16, "abcd1234"});
  EXPECT_TRUE(installation_->agreed());
  EXPECT_EQ(meta_.at("schema"), "1");
  EXPECT_EQ(meta_.at("partitions"), "16");
  EXPECT_EQ(meta_.at("secret_key"), "abcd1234");
}

TEST_F(InstallationTest, ALaterProgramWithOtherFactsSaysBothValues) {
  meta_ = {{"schema", "1"}, {"partitions", "16"}, {"secret_key", "abcd1234"}};
  Start({2, 64, "ffff0000"});
  ASSERT_THAT(Words(), ElementsAre("schema", "partitions", "secret_key"));
  EXPECT_THAT(installation_->problems()[1].sentence, AllOf(HasSubstr("64"), HasSubstr("16")));
  EXPECT_THAT(installation_->problems()[1].fix, HasSubstr("redis.partitions = 16"));
  EXPECT_THAT(installation_->problems()[2].sentence,
              AllOf(HasSubstr("abcd1234"), HasSubstr("ffff0000")));
}

TEST_F(InstallationTest, AProgramWithoutAKeyNeitherWritesNorComparesOne) {
  Start({1, 16, ""});
  EXPECT_TRUE(installation_->agreed());
  EXPECT_FALSE(meta_.contains("secret_key"));
  Start({1, 16, "abcd1234"});
  EXPECT_TRUE(installation_->agreed());
  Start({1, 16, ""});
  EXPECT_TRUE(installation_->agreed());
}

TEST_F(InstallationTest, NothingIsAgreedBeforeRedisAnswers) {
  redis_.TakeDown();
  Start({1, 16, ""});
  EXPECT_THAT(Words(), ElementsAre("installation_unchecked"));
  redis_.BringUp("run-1");
  loop_.RunReady();
  EXPECT_TRUE(installation_->agreed());
}

TEST_F(InstallationTest, AnotherServerProcessIsAskedAgain) {
  Start({1, 16, ""});
  redis_.TakeDown();
  meta_["partitions"] = "64";
  redis_.BringUp("run-2");
  loop_.RunReady();
  EXPECT_THAT(Words(), ElementsAre("partitions"));
}

TEST_F(InstallationTest, AMendedDifferenceIsNoticed) {
  meta_ = {{"schema", "1"}, {"partitions", "64"}};
  Start({1, 16, ""});
  EXPECT_THAT(Words(), ElementsAre("partitions"));
  meta_["partitions"] = "16";
  loop_.Advance(Installation::kRetryInterval);
  EXPECT_THAT(Words(), IsEmpty());
}

TEST_F(InstallationTest, AServerThatTakesNoWritesIsAProblemOfItsOwn) {
  redis_.On("HSETNX", RedisValue::Error("OOM command not allowed"));
  Start({1, 16, ""});
  ASSERT_THAT(Words(), ElementsAre("installation_unwritten"));
  EXPECT_THAT(installation_->problems()[0].sentence, HasSubstr("OOM"));
}

}  // namespace
}  // namespace relay
