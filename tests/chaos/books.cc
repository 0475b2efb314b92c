#include "tests/chaos/books.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <vector>

#include "relay/exit_code.h"

namespace relay {

namespace {

// Where the value of `name` begins in the flat JSON object; null when it is not there.
const char* ValueOf(const std::string& json, const std::string& name) {
  const std::string mark = "\"" + name + "\":";
  const size_t at = json.find(mark);
  return at == std::string::npos ? nullptr : json.c_str() + at + mark.size();
}

// What `relayctl <what> list --json` prints, as a file for the accountant.
std::string ListInto(Installation& relay, const std::string& what) {
  const ProgramRun listed = relay.SoundRelayctl({what, "list", "--json"});
  relay.scene().Expect(listed.status == 0, "relayctl " + what + " list: " + listed.output);
  const std::string file = relay.path(what + "-list.jsonl");
  std::ofstream(file, std::ios::binary) << listed.output;
  return file;
}

Account Verify(Installation& relay, const std::vector<std::string>& received,
               const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {"verify",   "--json",
                                        "--sent",   relay.sent_log(),
                                        "--expect", relay.catalog_path(),
                                        "--faults", relay.scene().fault_log()};
  for (const std::string& log : received) {
    arguments.insert(arguments.end(), {"--received", log});
  }
  arguments.insert(arguments.end(), more.begin(), more.end());
  return Account(relay.SoundRelayctl(arguments, Seconds(120)).output);
}

void ExpectNone(Scene& scene, const Account& account, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const int64_t number = account.Number(name);
    scene.Expect(number == 0,
                 std::string(name) + " " + std::to_string(number) + " in " + account.json());
  }
}

}  // namespace

bool Account::Has(const std::string& name) const {
  const char* const value = ValueOf(json_, name);
  return value && *value != 'n';
}

int64_t Account::Number(const std::string& name) const {
  const char* const value = ValueOf(json_, name);
  return value ? std::strtoll(value, nullptr, 10) : 0;
}

void GlanceAtBooks(Installation& relay) {
  if (!relay.scene().hunts()) return;
  // What the receivers have now was sent before; what is sent meanwhile is none of our business.
  std::vector<std::string> received;
  for (const std::string& log : relay.received_logs()) {
    received.push_back(log + ".now");
    std::filesystem::copy_file(log, received.back(),
                               std::filesystem::copy_options::overwrite_existing);
  }
  ExpectNone(relay.scene(), Verify(relay, received, {}),
             {"phantom", "corrupt", "duplicates_without_fault"});
  const ProgramRun checked = relay.SoundRelayctl({"fsck"});
  relay.scene().Expect(checked.status != kExitCheckFailed, "fsck: " + checked.output);
}

Account CloseBooks(Installation& relay, const BookRules& rules) {
  Scene& scene = relay.scene();
  GlanceAtBooks(relay);
  if (rules.drained) scene.Expect(relay.Drained(rules.stuck), "the backlog does not drain");
  const ProgramRun checked = relay.SoundRelayctl({"fsck"});
  scene.Expect(checked.status == 0, "fsck: " + checked.output);

  // In this order: what is given up in between stands in both lists, and not in neither.
  const std::string pending = ListInto(relay, "pending");
  const std::string dead = ListInto(relay, "dlq");
  const Account account =
      Verify(relay, relay.received_logs(), {"--dead", dead, "--pending", pending});
  // An accountant that did not get as far as its sums found nothing, but proved nothing either.
  scene.Expect(account.Number("callbacks") > 0, "verify: " + account.json());
  ExpectNone(
      scene, account,
      {"loss", "phantom", "corrupt", "duplicates_without_fault", "dead_unknown", "false_dead"});
  if (rules.drained) ExpectNone(scene, account, {"pending"});
  if (!rules.early_retries) ExpectNone(scene, account, {"early_retries"});
  if (!rules.duplicates) ExpectNone(scene, account, {"duplicates"});
  if (rules.duplicates_max >= 0) {
    scene.Expect(account.Number("duplicates") <= rules.duplicates_max,
                 std::to_string(account.Number("duplicates")) + " duplicates, at most " +
                     std::to_string(rules.duplicates_max) + " were in flight");
  }
  scene.Expect(account.Number("dead") <= rules.dead_max,
               std::to_string(account.Number("dead")) + " dead letters for no reason");
  for (const char* name :
       {"acked", "obligations", "delivered", "dead", "loss", "phantom", "corrupt", "duplicates",
        "duplicates_without_fault", "lost_in_cut", "indeterminate", "refused"}) {
    scene.Count(name, account.Number(name));
  }
  return account;
}

}  // namespace relay
