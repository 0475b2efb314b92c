#include "relay/stream_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "relay/random.h"

namespace relay {
namespace {

using testing::ElementsAre;

constexpr int64_t kNoon = 1'700'000'000'000;

// An event of one of two pushes that follow each other: B is the reconnect of A. The death of A is
// noticed late, so that its stop is stamped behind the start of B.
struct Step {
  const char* name;
  bool started;
  const char* sequence;
  int64_t event_ms;
};
constexpr Step kStartA{"start(A)", true, "A", kNoon};
constexpr Step kStopA{"stop(A)", false, "A", kNoon + 20'000};
constexpr Step kStartB{"start(B)", true, "B", kNoon + 10'000};
constexpr Step kStopB{"stop(B)", false, "B", kNoon + 90'000};

PushChange ChangeOf(const Step& step, int64_t entry) {
  return {step.started, step.sequence, step.event_ms, {kNoon + entry, 0}};
}

// What arrives one after the other, as entries 1, 2, ...
StreamState After(const std::vector<Step>& steps) {
  StreamState state;
  int64_t entry = 0;
  for (const Step& step : steps) state.Apply(ChangeOf(step, ++entry));
  return state;
}

std::string VerdictsOf(const StreamState& state) {
  std::string text;
  for (const Step& step : {kStartA, kStopA, kStartB, kStopB}) {
    text += StreamVerdictName(state.Verdict(step.started, step.sequence)).front();
  }
  return text;
}

TEST(StreamStateTest, LateStopOfTheOldPushDoesNotEndTheNewOne) {
  const StreamState state = After({kStartA, kStartB, kStopA});
  EXPECT_TRUE(state.live);
  EXPECT_EQ(state.sequence, "B");
  EXPECT_EQ(state.Verdict(false, "A"), StreamVerdict::kStale);
  EXPECT_EQ(state.Verdict(true, "B"), StreamVerdict::kCurrent);
}

// Whatever order they arrive in, with every prefix: the verdicts of start(A) stop(A) start(B)
// stop(B) as their first letters, and what is live.
TEST(StreamStateTest, VerdictsOfAllOrdersOfArrival) {
  const std::map<std::string, std::string> expected = {
      {"", "uuuu -"},
      {"start(A)", "cuuu A"},
      {"stop(A)", "suuu -"},
      {"start(B)", "uucu B"},
      {"stop(B)", "uusu -"},
      {"start(A) stop(A)", "scuu -"},
      {"stop(A) start(A)", "scuu -"},
      {"start(A) start(B)", "sscu B"},
      {"start(B) start(A)", "sscu B"},
      {"start(B) stop(A)", "sscu B"},
      {"stop(A) start(B)", "sscu B"},
      {"start(B) stop(B)", "uusc -"},
      {"stop(B) start(B)", "uusc -"},
      // A stop that comes before its start ends nothing that is live.
      {"start(A) stop(B)", "cuss A"},
      // Of B nothing but its stop is known, so that a start of now has the word.
      {"stop(B) start(A)", "cuss A"},
      {"stop(A) stop(B)", "sssu -"},
      {"stop(B) stop(A)", "suss -"},
  };
  for (const auto& [order, verdicts] : expected) {
    std::vector<Step> steps;
    for (size_t at = 0; at < order.size();) {
      for (const Step& step : {kStartA, kStopA, kStartB, kStopB}) {
        if (order.substr(at).starts_with(step.name)) steps.push_back(step);
      }
      at = order.find(' ', at);
      at = at == std::string::npos ? order.size() : at + 1;
    }
    const StreamState state = After(steps);
    EXPECT_EQ(VerdictsOf(state) + " " + (state.live ? state.sequence : "-"), verdicts) << order;
  }
}

TEST(StreamStateTest, NothingIsLiveWhenAllHasArrivedInWhateverOrder) {
  std::vector<int> order = {0, 1, 2, 3};
  const Step steps[] = {kStartA, kStopA, kStartB, kStopB};
  do {
    std::vector<Step> arrival;
    std::string text;
    for (const int place : order) {
      arrival.push_back(steps[place]);
      text.append(steps[place].name).append(" ");
      // From the start of B to its stop nothing that is heard of A may end B.
      const auto seen = [&](const Step& which) {
        return std::any_of(arrival.begin(), arrival.end(),
                           [&](const Step& step) { return step.name == which.name; });
      };
      if (seen(kStartB) && !seen(kStopB)) {
        const StreamState state = After(arrival);
        EXPECT_TRUE(state.live && state.sequence == "B") << text;
      }
    }
    EXPECT_FALSE(After(arrival).live) << text;
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(StreamStateTest, EventsThatAreReadAgainChangeNothing) {
  std::vector<int> order = {0, 1, 2, 3};
  const Step steps[] = {kStartA, kStopA, kStartB, kStopB};
  do {
    StreamState state;
    for (size_t count = 1; count <= 4; ++count) {
      const auto last = static_cast<size_t>(order[count - 1]);
      state.Apply(ChangeOf(steps[last], static_cast<int64_t>(count)));
      const StreamState before = state;
      for (size_t i = 0; i < count; ++i) {
        const Step& again = steps[static_cast<size_t>(order[i])];
        EXPECT_FALSE(state.Apply(ChangeOf(again, static_cast<int64_t>(i + 1)))) << again.name;
      }
      EXPECT_EQ(state, before);
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(StreamStateTest, StartOfAnEarlierTimeIsLate) {
  const StreamState state = After({kStartB, kStartA});
  EXPECT_EQ(state.sequence, "B");
  EXPECT_THAT(state.closed, ElementsAre("A"));
}

TEST(StreamStateTest, StartStampedFarAheadDoesNotMakeLaterOnesLate) {
  Step ahead = kStartA;
  ahead.event_ms = kNoon + 86'400'000;
  EXPECT_EQ(After({ahead, kStartB}).sequence, "B");
}

TEST(StreamStateTest, StartsWithoutATimeGoByTheirArrival) {
  Step a = kStartA;
  Step b = kStartB;
  a.event_ms = 0;
  b.event_ms = 0;
  EXPECT_EQ(After({b, a}).sequence, "A");
}

TEST(StreamStateTest, EntryThatWasClaimedLateCountsFromItsPlaceInTheStream) {
  StreamState state;
  state.Apply(ChangeOf(kStartB, 2));
  Step a = kStartA;
  a.event_ms = 0;
  state.Apply(ChangeOf(a, 1));
  EXPECT_EQ(state.sequence, "B");
  EXPECT_EQ(state.Verdict(false, "A"), StreamVerdict::kStale);
}

TEST(StreamStateTest, FourClosedPushesAreRemembered) {
  StreamState state;
  for (int i = 1; i <= 7; ++i) {
    const std::string push = std::to_string(i);
    state.Apply({true, push, kNoon + i, {kNoon + i, 0}});
  }
  EXPECT_EQ(state.sequence, "7");
  EXPECT_THAT(state.closed, ElementsAre("3", "4", "5", "6"));
  EXPECT_EQ(state.Verdict(false, "2"), StreamVerdict::kUnknown);
  // What came before all of them does not push a later one out.
  EXPECT_FALSE(state.Apply({true, "1", kNoon + 1, {kNoon + 1, 0}}));
  EXPECT_THAT(state.closed, ElementsAre("3", "4", "5", "6"));
}

TEST(StreamStateTest, SequencesOfNoProviderAreLeftAlone) {
  StreamState state;
  EXPECT_FALSE(state.Apply({true, "", kNoon, {kNoon, 0}}));
  EXPECT_FALSE(state.Apply({true, std::string(65, '1'), kNoon, {kNoon, 0}}));
  EXPECT_EQ(state, StreamState());
}

// Keeps all that ever came, in lists, and looks through them.
class NaiveStream {
 public:
  void Arrive(bool started, const std::string& push, int64_t event_ms, int64_t entry) {
    if (push == current_) {
      (started ? started_ : stopped_) = true;
      if (started && start_ms_ == 0) start_ms_ = event_ms;
      return;
    }
    if (std::count(over_.begin(), over_.end(), push) > 0) return;
    const bool live = started_ && !stopped_;
    const bool late = started && start_ms_ != 0 && event_ms < start_ms_;
    if (!current_.empty() && (entry < since_ || late || (!started && live))) {
      over_.push_back(push);
      return;
    }
    if (!current_.empty()) over_.push_back(current_);
    current_ = push;
    started_ = started;
    stopped_ = !started;
    start_ms_ = started ? event_ms : 0;
    since_ = entry;
  }
  std::string Verdict(bool started, const std::string& push) const {
    if (std::count(over_.begin(), over_.end(), push) > 0) return "stale";
    if (push != current_) return "unknown";
    if (started) return stopped_ ? "stale" : "current";
    return stopped_ && started_ ? "current" : "unknown";
  }

 private:
  std::string current_;
  bool started_ = false;
  bool stopped_ = false;
  int64_t start_ms_ = 0;
  int64_t since_ = 0;
  std::vector<std::string> over_;
};

TEST(StreamStateTest, AgreesWithANaiveModelOverRandomArrivals) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    StreamState state;
    NaiveStream naive;
    std::vector<PushChange> arrived;
    // Five pushes: the closed ones are all remembered.
    const std::vector<std::string> pushes = {"1", "2", "3", "4", "5"};
    for (int64_t entry = 1; entry <= 20; ++entry) {
      PushChange change;
      if (!arrived.empty() && random.Below(4) == 0) {
        change = arrived[random.Below(arrived.size())];  // Read again.
      } else {
        const size_t push = random.Below(pushes.size());
        change.started = random.Below(2) == 0;
        change.sequence = pushes[push];
        change.event_ms = kNoon + 1000 * static_cast<int64_t>(push);
        change.entry = {kNoon + entry, 0};
        arrived.push_back(change);
      }
      state.Apply(change);
      naive.Arrive(change.started, std::string(change.sequence), change.event_ms, change.entry.ms);
      for (const std::string& push : pushes) {
        for (const bool started : {true, false}) {
          ASSERT_EQ(StreamVerdictName(state.Verdict(started, push)), naive.Verdict(started, push))
              << "entry " << entry << ", push " << push << ", start " << started;
        }
      }
      const Result<StreamState> decoded = DecodeStreamState(EncodeStreamState(state));
      ASSERT_TRUE(decoded.ok());
      ASSERT_EQ(*decoded, state);
    }
  }
}

TEST(StreamStateTest, EncodesInWordsThatAPersonCanRead) {
  const StreamState state = After({kStartA, kStartB, kStopA, kStopB});
  EXPECT_EQ(EncodeStreamState(state),
            "1 0 1 1700000010000 1700000090000 1700000000002 0 1700000000004 1 1:B1:A");
}

TEST(StreamStateTest, RefusesWhatItDoesNotWrite) {
  const std::string good = EncodeStreamState(After({kStartA, kStartB}));
  ASSERT_TRUE(DecodeStreamState(good).ok()) << good;
  for (size_t cut = 0; cut < good.size(); ++cut) {
    EXPECT_FALSE(DecodeStreamState(good.substr(0, cut)).ok()) << good.substr(0, cut);
  }
  EXPECT_FALSE(DecodeStreamState(good + " ").ok());
  EXPECT_FALSE(DecodeStreamState("2" + good.substr(1)).ok());
  EXPECT_FALSE(DecodeStreamState("1 2 1 0 0 0 0 0 0 1:A").ok());
  EXPECT_FALSE(DecodeStreamState("1 1 0 0 0 0 0 0 0 1:A").ok());  // Live without a start.
  EXPECT_FALSE(DecodeStreamState("1 1 1 -1 0 0 0 0 0 1:A").ok());
  EXPECT_FALSE(DecodeStreamState("1 1 1 00 0 0 0 0 0 1:A").ok());
  EXPECT_FALSE(DecodeStreamState("1 1 1 0 0 0 0 0 0 0:").ok());
  EXPECT_FALSE(DecodeStreamState("1 1 1 0 0 0 0 0 5 1:A1:B1:C1:D1:E1:F").ok());
  EXPECT_FALSE(DecodeStreamState("1 1 1 0 0 0 0 0 0 99:A").ok());
}

TEST(StreamStateTest, KeysOfDifferentStreamsNeverRunTogether) {
  EXPECT_NE(StreamKey("acme", "a", "bc", "d"), StreamKey("acme", "ab", "c", "d"));
  const StreamName name{"acme", "push.example", "live", "room 1:\n"};
  const Result<StreamName> parsed =
      ParseStreamKey(StreamKey(name.tenant, name.domain, name.path, name.stream));
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(*parsed, name);
  EXPECT_FALSE(ParseStreamKey("4:acme").ok());
  EXPECT_FALSE(ParseStreamKey("").ok());
}

TEST(StreamStateTest, EntriesAreOrderedAsRedisOrdersThem) {
  EXPECT_LT(EntryId::Of("9-5"), EntryId::Of("10-0"));
  EXPECT_LT(EntryId::Of("9-5"), EntryId::Of("9-10"));
  EXPECT_EQ(EntryId::Of("9"), EntryId());
  EXPECT_EQ(EntryId::Of("9-x"), EntryId());
}

TEST(StreamStateTest, MediaAreATimeAndAUrl) {
  const Result<StreamMedia> media = DecodeStreamMedia(EncodeStreamMedia({17, "http://a/b c"}));
  ASSERT_TRUE(media.ok());
  EXPECT_EQ(media->at_ms, 17);
  EXPECT_EQ(media->url, "http://a/b c");
  EXPECT_FALSE(DecodeStreamMedia("http://a").ok());
}

}  // namespace
}  // namespace relay
