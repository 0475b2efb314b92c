// streams list, register and unregister against a real Redis.

#include "cli/streams_command.h"

#include <gmock/gmock.h>

#include "cli/command_line.h"
#include "relay/redis_streams.h"
#include "relay/stream_state.h"
#include "tests/cli/operator_fixture.h"

namespace relay {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// Of room 293710, user 14y2l2c: the provider's own example.
constexpr char kStreamCode[] = "8888_81265058829fd2e50c8ec2ac78d55127";

class StreamsCommandTest : public OperatorTest {
 protected:
  struct Outcome {
    int code = 0;
    std::string out;
    std::string err;
  };

  Outcome Relayctl(std::vector<std::string> arguments) {
    static constexpr AddCommand kCommands[] = {&AddStreamsCommand};
    arguments.insert(arguments.begin(), {"--config", conf_, "streams"});
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = RunCommandLine(kCommands, std::move(arguments), {});
    std::fflush(stdout);
    std::string out = testing::internal::GetCapturedStdout();
    return {code, std::move(out), testing::internal::GetCapturedStderr()};
  }
  // One live stream, in the test's own partition; `stopped` ends it.
  void Keep(const std::string& stream, bool stopped = false) {
    StreamState state;
    state.Apply({true, "2210464508206756938", 1'700'000'000'000, {1'700'000'000'500, 0}});
    if (stopped) {
      state.Apply({false, "2210464508206756938", 1'700'000'060'000, {1'700'000'060'500, 0}});
    }
    const std::string key = StreamKey("acme", "push.example", "live", stream);
    const int64_t now_ms = std::stoll(Ask(RedisCommand("TIME")).items.at(0).text) * 1000;
    const std::vector<StreamWrite> writes = {
        {StreamWrite::Kind::kState, key, now_ms, EncodeStreamState(state)},
        {StreamWrite::Kind::kRecording, key, now_ms, "1700000050000 http://vod.example/1.mp4"},
        {StreamWrite::Kind::kScreenshot, key, now_ms, "1700000040000 http://cos.example/1.jpg"}};
    Value(ParseWriteStreams(Run(WriteStreams(keys_, owner_, writes))));
  }
  std::vector<std::string> Register() const {
    return {"register", "--tenant", "acme",   "--bizid", "8888",
            "--room",   "293710",   "--user", "14y2l2c"};
  }
};

TEST_F(StreamsCommandTest, LiveStreamsAreListedWithTheirRecordingAndScreenshot) {
  Keep("show");
  Keep("over", /*stopped=*/true);
  for (const auto& arguments : {std::vector<std::string>{}, std::vector<std::string>{"list"}}) {
    const Outcome listed = Relayctl(arguments);
    EXPECT_EQ(listed.code, kExitOk) << listed.err;
    EXPECT_THAT(listed.out,
                AllOf(HasSubstr("push.example"), HasSubstr("show"), HasSubstr("live"),
                      HasSubstr("2023-11-14T22:13:20.000Z"), HasSubstr("2210464508206756938"),
                      HasSubstr("http://vod.example/1.mp4"), HasSubstr("http://cos.example/1.jpg"),
                      Not(HasSubstr("over"))));
  }
}

TEST_F(StreamsCommandTest, FiltersAndJson) {
  Keep("show");
  Keep("over", /*stopped=*/true);
  EXPECT_EQ(Relayctl({"list", "--stream-prefix", "ov"}).out, "no stream is live\n");
  EXPECT_EQ(Relayctl({"--tenant", "other", "--json"}).out, "");
  EXPECT_EQ(Relayctl({"list", "--all", "--stream-prefix", "ov", "--json"}).out,
            R"({"tenant":"acme","domain":"push.example","path":"live","stream":"over",)"
            R"("state":"ended","since":"2023-11-14T22:14:20.000Z",)"
            R"("sequence":"2210464508206756938","recording":"http://vod.example/1.mp4",)"
            R"("recording_at":"2023-11-14T22:14:10.000Z","screenshot":"http://cos.example/1.jpg",)"
            R"("screenshot_at":"2023-11-14T22:14:00.000Z"})"
            "\n");
}

TEST_F(StreamsCommandTest, NamesOfStrangersReachNoTerminal) {
  Keep("a\x1B[2Jb");
  EXPECT_THAT(Relayctl({}).out, HasSubstr("a\\x1b[2Jb"));
}

TEST_F(StreamsCommandTest, RegisteredRoomStandsInThePartitionOfItsCode) {
  const Outcome registered = Relayctl(Register());
  EXPECT_EQ(registered.code, kExitOk) << registered.err;
  EXPECT_EQ(registered.out, std::string(kStreamCode) + "\n");
  const PartitionKeys keys = PartitionKeys::For(PartitionOf("acme", kStreamCode, "", 16), 16);
  const auto rooms = Value(ParseHash(Ask(ReadRooms(keys))));
  ASSERT_EQ(rooms.size(), 1u);
  EXPECT_EQ(rooms[0].first, std::string("acme/") + kStreamCode);
  const RegisteredRoom room = Value(DecodeRoom(rooms[0].second));
  EXPECT_EQ(room.room, "293710");
  EXPECT_EQ(room.user, "14y2l2c");
  EXPECT_EQ(room.type, "main");

  std::vector<std::string> again = Register();
  again[0] = "unregister";
  EXPECT_EQ(Relayctl(again).code, kExitOk);
  const Outcome unknown = Relayctl(again);
  EXPECT_EQ(unknown.code, kExitCheckFailed);
  EXPECT_THAT(unknown.err, HasSubstr(kStreamCode));
}

TEST_F(StreamsCommandTest, RoomIsShownBesideItsStream) {
  // Any name that lies in the partition of the test.
  std::string stream = "8888_0";
  for (int i = 1; PartitionOf("acme", stream, "", 16) != 0; ++i) {
    stream = "8888_" + std::to_string(i);
  }
  Keep(stream);
  ASSERT_EQ(Relayctl({"register", "--tenant", "acme", "--code", stream, "--room", "studio",
                      "--user", "host", "--type", "aux"})
                .code,
            kExitOk);
  EXPECT_THAT(Relayctl({}).out, HasSubstr("studio/host aux"));
  EXPECT_THAT(Relayctl({"--json"}).out,
              HasSubstr(R"("room":"studio","user":"host","type":"aux"})"));
}

TEST_F(StreamsCommandTest, WhatCannotBeMeantIsAnErrorOfUsage) {
  std::vector<std::string> arguments = Register();
  arguments[2] = "nobody";
  EXPECT_EQ(Relayctl(arguments).code, kExitUsage);
  arguments = Register();
  arguments[3] = "--sdkappid";
  arguments[4] = "12ab";
  EXPECT_EQ(Relayctl(arguments).code, kExitUsage);
  arguments = Register();
  arguments.insert(arguments.end(), {"--type", "screen"});
  EXPECT_EQ(Relayctl(arguments).code, kExitUsage);
  arguments = Register();
  arguments.insert(arguments.end(), {"--ttl", "60d"});
  EXPECT_EQ(Relayctl(arguments).code, kExitUsage);
  arguments = Register();
  arguments.insert(arguments.end(), {"--sdkappid", "1400000123"});
  EXPECT_EQ(Relayctl(arguments).code, kExitUsage) << "two codes at a time";
  EXPECT_EQ(Relayctl({"register", "--tenant", "acme", "--bizid", "8888"}).code, kExitUsage);
}

}  // namespace
}  // namespace relay
