// Do the planted defects still fit, and do the defective programs do what they are for: nothing of
// their own until RELAY_DEFECT says so, and then exactly what the table says?

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <set>
#include <string>

#include "relay/script_texts.h"
#include "tests/chaos/defects/defect_table.h"
#include "tests/integration/relay_system.h"

namespace relay {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// RELAY_DEFECT for the programs that are started while it lives.
class Planting {
 public:
  explicit Planting(const std::string& number) { setenv("RELAY_DEFECT", number.c_str(), 1); }
  Planting(const Planting&) = delete;
  Planting& operator=(const Planting&) = delete;
  ~Planting() { unsetenv("RELAY_DEFECT"); }
};

Ran RunProgram(const std::string& program, const std::string& argument) {
  const std::string out = ::testing::TempDir() + "/" + program + ".out";
  unlink(out.c_str());
  ChildProgram child({RELAY_BIN_DIR "/" + program, argument}, out);
  const auto status = child.Wait(Seconds(20));
  const Ran ran{status.value_or(-1), child.Output()};
  unlink(out.c_str());
  return ran;
}

size_t CountOf(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(DefectTableTest, NumbersRunFromOneAndNamesAreDifferent) {
  std::set<std::string_view> names;
  int expected = 0;
  for (const PlantedDefect& defect : PlantedDefects()) {
    EXPECT_EQ(defect.number, ++expected) << defect.name;
    EXPECT_TRUE(names.insert(defect.name).second) << defect.name;
    EXPECT_GE(defect.expected_scenario, 1) << defect.name;
  }
  EXPECT_GE(expected, 24);
}

TEST(DefectTableTest, WhatIsReplacedInAScriptStandsThereOnce) {
  EXPECT_FALSE(ScriptPlants().empty());
  for (const ScriptPlant& plant : ScriptPlants()) {
    EXPECT_EQ(CountOf(ScriptText(plant.script), plant.from), 1u)
        << "defect " << plant.number << " no longer fits " << plant.script << ": " << plant.from;
  }
}

class DefectiveProgramTest : public testing::TestWithParam<const char*> {};

TEST_P(DefectiveProgramTest, WithoutADefectSaysItsVersionAndHelp) {
  const Ran version = RunProgram(GetParam(), "--version");
  EXPECT_EQ(version.status, 0) << version.output;
  EXPECT_EQ(version.output, std::string(GetParam()) + " " RELAY_VERSION "\n");
  EXPECT_EQ(RunProgram(GetParam(), "--help").status, 0);
}

TEST_P(DefectiveProgramTest, KnowsEveryDefectOfTheTable) {
  for (const PlantedDefect& defect : PlantedDefects()) {
    const Planting planting(std::to_string(defect.number));
    EXPECT_EQ(RunProgram(GetParam(), "--version").status, 0) << defect.name;
  }
}

TEST_P(DefectiveProgramTest, RefusesADefectThatIsNotInTheTable) {
  for (const char* number : {"1000", "-1", "1x", "x", "99999999999999999999"}) {
    const Planting planting(number);
    const Ran ran = RunProgram(GetParam(), "--version");
    EXPECT_EQ(ran.status, 2) << number;
    EXPECT_THAT(ran.output, HasSubstr(std::string("RELAY_DEFECT=") + number + " names no defect"));
  }
}

INSTANTIATE_TEST_SUITE_P(Each, DefectiveProgramTest,
                         testing::Values("relay-broker", "relay-worker", "relayctl"),
                         [](const auto& info) {
                           const std::string name = info.param;
                           return name.substr(name.find_last_of("-y") + 1);
                         });

TEST(PlantedDefectTest, NoneIsPlantedWhereNoneIsAskedFor) {
  const Planting planting("0");
  RelaySystem relay;
  relay.Apply({{"a", relay.StartSink("a", {"--fail-first", "1"}),
                "retry = { schedule = [\"1s\"] }\nbreaker = { failures = 0, share = 0 }"},
               {"b", relay.StartSink("b"), ""}});
  ChildProgram& broker = relay.StartBroker();
  ChildProgram& worker = relay.StartWorker();
  EXPECT_EQ(relay.Simulate({"--count", "500"}).status, 0);
  EXPECT_TRUE(relay.WaitUntilDrained());
  const Ran verified = relay.Verify({"--max-duplicates", "0"});
  EXPECT_EQ(verified.status, 0) << verified.output;
  EXPECT_EQ(relay.Fsck().status, 0);
  EXPECT_THAT(broker.Output() + worker.Output(), Not(HasSubstr("defect_planted")));
}

// Some scripts are asked for many times, as parts of others.
TEST(PlantedDefectTest, ThoseInScriptsLetProgramsStart) {
  std::set<int> numbers;
  for (const ScriptPlant& plant : ScriptPlants()) numbers.insert(plant.number);
  for (const int number : numbers) {
    const Planting planting(std::to_string(number));
    RelaySystem relay;
    relay.Apply({{"a", relay.StartSink("a"), ""}});
    relay.StartBroker();
    relay.StartWorker();
    EXPECT_EQ(relay.Simulate({"--count", "20"}).status, 0) << number;
    EXPECT_TRUE(relay.WaitUntilDrained()) << number;
    EXPECT_EQ(relay.Verify().status, 0) << number;
  }
}

TEST(PlantedDefectTest, TheFirstIsToldAndAcknowledgesWhatRedisHasNotAnswered) {
  const Planting planting("1");
  RelaySystem relay;
  relay.Apply({{"a", 9, ""}});
  ChildProgram& broker = relay.StartBroker();
  EXPECT_THAT(broker.Output(), HasSubstr("\"event\":\"defect_planted\""));
  kill(relay.redis().pid(), SIGSTOP);
  const std::string answer = SendRaw(relay.broker_port(), SignedCallback("room", "1"), Seconds(1));
  kill(relay.redis().pid(), SIGCONT);
  EXPECT_THAT(answer, HasSubstr(" 200 "));
}

TEST(PlantedDefectTest, TheFifthTakesAForgedCallback) {
  const Planting planting("5");
  RelaySystem relay;
  relay.Apply({{"a", 9, ""}});
  relay.StartBroker();
  std::string forged = SignedCallback("room", "1");
  const size_t sign = forged.find("\"sign\":\"") + 8;
  forged[sign] = forged[sign] == '0' ? '1' : '0';
  EXPECT_THAT(SendRaw(relay.broker_port(), forged), HasSubstr(" 200 "));
}

TEST(PlantedDefectTest, TheSixteenthChangesAScriptAndLosesRetries) {
  const Planting planting("16");
  RelaySystem relay;
  relay.Apply({{"a", relay.StartSink("a", {"--fail-first", "1"}),
                "retry = { schedule = [\"1s\"] }\nbreaker = { failures = 0, share = 0 }"},
               {"b", relay.StartSink("b"), ""}});
  relay.StartBroker();
  ChildProgram& worker = relay.StartWorker();
  EXPECT_EQ(relay.Simulate({"--count", "20"}).status, 0);
  EXPECT_TRUE(relay.WaitUntilDrained());
  EXPECT_NE(relay.Verify().status, 0);
  EXPECT_THAT(worker.Output(), HasSubstr("payload_missing"));
}

}  // namespace
}  // namespace relay
